module understudy.dev/comparator

go 1.26
