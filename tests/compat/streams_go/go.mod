module walrig.test/streams_go

go 1.23.0

require (
	github.com/andybalholm/brotli v1.0.4
	github.com/klauspost/compress v1.16.7
	github.com/pierrec/lz4/v4 v4.1.17
	github.com/ulikunitz/xz v0.5.11
)
