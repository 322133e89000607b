module understudy.dev/deployments

go 1.26
