package main

import (
	"fmt"
	"net"
	"net/http"

	"github.com/spf13/cobra"

	"understudy.dev/demo"
	"understudy.dev/demo/traffic"
)

// demoSystemCommand serves one of the two systems, for the tour.
func (a *app) demoSystemCommand(side string) *cobra.Command {
	listen := map[string]string{"baseline": "127.0.0.1:9001", "candidate": "127.0.0.1:9002"}[side]
	what := map[string]string{"baseline": "synchronous order service", "candidate": "asynchronous order service, with faults"}[side]
	c := &cobra.Command{
		Use: side, Short: "Serve the demo's " + what, Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			ln, err := net.Listen("tcp", listen)
			if err != nil {
				return fmt.Errorf("listen: %w; choose another address with --listen", err)
			}
			fmt.Fprintf(a.out, "%s on http://%s; Ctrl-C stops it\n", what, ln.Addr())
			return demo.Serve(c.Context(), side, ln)
		},
	}
	c.Flags().StringVar(&listen, "listen", listen, "address")
	return c
}

func (a *app) demoTrafficCommand() *cobra.Command {
	t := traffic.DefaultConfig()
	c := &cobra.Command{
		Use: "traffic", Short: "Drive the demo's users through a URL", Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			users, err := traffic.New(t, http.RoundTripper(nil))
			if err != nil {
				return usagef("%w", err)
			}
			counts, err := users.Run(c.Context())
			fmt.Fprintf(a.out, "%d requests of %d sessions, %d without an answer\n", counts.Requests, counts.Sessions, counts.Failed)
			if err == nil && counts.Requests > 0 && counts.Failed == counts.Requests {
				err = fmt.Errorf("nobody answered at %s; is it running? name another with --target", t.BaseURL)
			}
			return err
		},
	}
	c.Flags().StringVar(&t.BaseURL, "target", "http://127.0.0.1:8080", "URL of the recorder or the service; loopback only")
	c.Flags().IntVar(&t.Sessions, "sessions", t.Sessions, "users")
	c.Flags().DurationVar(&t.Arrive, "arrive", t.Arrive, "time over which they come")
	return c
}
