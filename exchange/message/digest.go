package message

// BodyDigests are the canonical names of the fields that hold digests of a body:
// they do not hold for one that was changed, and tell what a short one was.
func BodyDigests() []string {
	return []string{"Content-Md5", "Digest", "Content-Digest", "Repr-Digest"}
}
