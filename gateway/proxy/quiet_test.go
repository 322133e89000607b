package proxy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestSecondAnswerReachesNobody: an upstream that appends an answer to its
// answer must not have it delivered to whoever comes next on that connection.
func TestSecondAnswerReachesNobody(t *testing.T) {
	const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		for h := head(r); h != ""; h = head(r) {
			if strings.Contains(h, "Content-Length: 4") {
				_, _ = r.Discard(4)
			}
			if _, err := io.WriteString(c, sized+evil); err != nil {
				return
			}
		}
	})
	address := proxyTo(t, up)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := range 400 {
				body := strings.NewReader("body"[:i%2*4]) // every other request has one
				r, err := client.Post("http://"+address+"/", "text/plain", body)
				if err != nil {
					t.Error(err)
					return
				}
				b, _ := io.ReadAll(r.Body)
				r.Body.Close()
				if string(b) != "early" {
					t.Errorf("got %q", b)
					return
				}
			}
		})
	}
	clients.Wait()
}
