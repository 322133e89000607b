module understudy.dev/recorder

go 1.26
