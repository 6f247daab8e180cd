// An outsider's check of a log with Go's own packages: golang.org/x/mod/sumdb/note and tlog (Debian:
// golang-golang-x-mod-dev). Nothing of ours: only the files that the counter publishes, and its public keys.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proof struct {
	Index int64
	Leaf  []byte
	Path  [][]byte
}

type question struct {
	Log, Witness, Checkpoint string
	OldSize                  int64
	OldRoot                  []byte
	Consistency              [][]byte
	Proofs                   []proof
}

// witness reads C2SP cosignature/v1, which is younger than this Go package.
type witness struct {
	name string
	key  ed25519.PublicKey
	id   uint32
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.id }
func (w witness) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), text)
	return ed25519.Verify(w.key, []byte(signed), sig[8:])
}

func newWitness(vkey string) (witness, error) {
	parts := strings.SplitN(vkey, "+", 3)
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) != 33 || material[0] != 4 {
		return witness{}, errors.New("not a witness's key")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	return witness{parts[0], material[1:], binary.BigEndian.Uint32(sum[:4])}, nil
}

type tiles struct{ folder string }

func (t tiles) Height() int                          { return 8 }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range wanted {
		content, err := os.ReadFile(filepath.Join(t.folder, strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		read = append(read, content)
	}
	return read, nil
}

func hashes(raw [][]byte) []tlog.Hash {
	var all []tlog.Hash
	for _, each := range raw {
		var h tlog.Hash
		copy(h[:], each)
		all = append(all, h)
	}
	return all
}

func check(folder string) error {
	content, err := os.ReadFile(filepath.Join(folder, "question.json"))
	if err != nil {
		return err
	}
	var asked question
	if err := json.Unmarshal(content, &asked); err != nil {
		return err
	}
	log, err := note.NewVerifier(asked.Log)
	if err != nil {
		return err
	}
	seen, err := newWitness(asked.Witness)
	if err != nil {
		return err
	}
	opened, err := note.Open([]byte(asked.Checkpoint), note.VerifierList(log, seen))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != 2 {
		return fmt.Errorf("%d signatures of 2 verified", len(opened.Sigs))
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return err
	}
	tree := tlog.Tree{N: size, Hash: root}
	reader := tlog.TileHashReader(tree, tiles{folder}) // checks every tile against the root
	for _, p := range asked.Proofs {
		leaf := tlog.RecordHash(p.Leaf)
		if err := tlog.CheckRecord(hashes(p.Path), size, root, p.Index, leaf); err != nil {
			return fmt.Errorf("leaf %d: %w", p.Index, err)
		}
		stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, p.Index)})
		if err != nil {
			return err
		}
		if stored[0] != leaf {
			return fmt.Errorf("leaf %d: the tiles have another one", p.Index)
		}
		theirs, err := tlog.ProveRecord(size, p.Index, reader)
		if err != nil {
			return err
		}
		if fmt.Sprint(theirs) != fmt.Sprint(tlog.RecordProof(hashes(p.Path))) {
			return fmt.Errorf("leaf %d: Go makes another proof", p.Index)
		}
	}
	old := hashes([][]byte{asked.OldRoot})[0]
	return tlog.CheckTree(hashes(asked.Consistency), size, root, asked.OldSize, old)
}

func main() {
	for _, folder := range os.Args[1:] {
		if err := check(folder); err != nil {
			fmt.Printf("BAD %v\n", err)
		} else {
			fmt.Println("OK")
		}
	}
}
