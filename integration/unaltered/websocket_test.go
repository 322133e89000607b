package unaltered

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestWebSocket: messages of both kinds and all sizes, compressed or not, pings and
// the reason of the close pass as they are, over plain TCP and over TLS.
func TestWebSocket(t *testing.T) {
	baseline := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"orders"}, CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			t.Error(err)
			return
		}
		c.SetReadLimit(1 << 20)
		for {
			kind, b, err := c.Read(r.Context())
			switch {
			case websocket.CloseStatus(err) == websocket.StatusGoingAway:
				return
			case err != nil:
				t.Errorf("the client's end: %v", err)
				return
			case string(b) == "end":
				_ = c.Close(4242, "sold out")
				return
			}
			if err := c.Write(r.Context(), kind, b); err != nil {
				t.Error(err)
				return
			}
		}
	}))
	for _, secure := range []bool{false, true} {
		address, scheme := recorder(t, baseline, secure), map[bool]string{false: "ws://", true: "wss://"}[secure]
		transport := &http.Transport{TLSClientConfig: roots()}
		defer transport.CloseIdleConnections()
		join := func(mode websocket.CompressionMode) *websocket.Conn {
			t.Helper()
			c, answer, err := websocket.Dial(t.Context(), scheme+address, &websocket.DialOptions{
				HTTPClient: &http.Client{Transport: transport, Timeout: time.Minute}, Subprotocols: []string{"other", "orders"}, CompressionMode: mode,
			})
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != http.StatusSwitchingProtocols || c.Subprotocol() != "orders" {
				t.Errorf("status %d, protocol %q", answer.StatusCode, c.Subprotocol())
			}
			c.SetReadLimit(1 << 20)
			return c
		}
		for _, mode := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionContextTakeover} {
			c := join(mode)
			for _, n := range sizes {
				for _, kind := range []websocket.MessageType{websocket.MessageBinary, websocket.MessageText} {
					want := bytesOf(n)
					if kind == websocket.MessageText {
						want = bytes.Repeat([]byte("ä"), n/2)
					}
					if err := c.Write(t.Context(), kind, want); err != nil {
						t.Fatal(err)
					}
					got, b, err := c.Read(t.Context())
					if err != nil || got != kind || !bytes.Equal(b, want) {
						t.Fatalf("%d bytes of %v: %v, %v", n, kind, got, err)
					}
				}
			}
			if err := c.Write(t.Context(), websocket.MessageText, []byte("end")); err != nil {
				t.Fatal(err)
			}
			_, _, err := c.Read(t.Context())
			if websocket.CloseStatus(err) != 4242 {
				t.Errorf("the baseline's end: %v", err)
			}
		}
		c := join(websocket.CompressionDisabled)
		ctx := c.CloseRead(t.Context())
		if err := c.Ping(ctx); err != nil {
			t.Error(err)
		}
		if err := c.Close(websocket.StatusGoingAway, ""); err != nil {
			t.Error(err)
		}
	}
}
