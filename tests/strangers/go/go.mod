module fapiao.test/reader

go 1.27

require golang.org/x/mod v0.36.0

replace golang.org/x/mod => ./mod
