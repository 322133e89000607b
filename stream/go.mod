module understudy.dev/stream

go 1.26
