module understudy.dev/comparator

go 1.26

require (
	understudy.dev/schemas v0.0.0
	understudy.dev/stream v0.0.0
)

replace understudy.dev/schemas => ../schemas

replace understudy.dev/stream => ../stream
