module understudy.dev/replayer

go 1.26
