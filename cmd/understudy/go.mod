module understudy.dev/cmd/understudy

go 1.26
