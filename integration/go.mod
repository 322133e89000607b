module understudy.dev/integration

go 1.26
