package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// damage names the first description of a table or database below a data folder
// that the engine cannot read because it is empty, as one is that was written
// to a full disk or cut by a power failure. It returns "" if there is none. The
// engine itself does not say why it refuses a folder.
func damage(dir string) string {
	found := ""
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || found != "" || d.IsDir() || !strings.HasSuffix(path, ".sql") {
			return nil //nolint:nilerr // what cannot be read is not what is looked for
		}
		if info, err := d.Info(); err == nil && info.Size() == 0 {
			found = path
			return filepath.SkipAll
		}
		return nil
	})
	return found
}

// refused is the error for a folder that the engine does not open.
func refused(dir string) error {
	if path := damage(dir); path != "" {
		return fmt.Errorf("%s is empty, so the disk was full or the power failed when it was written; remove it (the table it describes is lost) and start again", path)
	}
	return errors.New("the engine refused the folder; the line above says why, or another process holds it")
}
