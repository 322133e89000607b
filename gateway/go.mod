module understudy.dev/gateway

go 1.26
