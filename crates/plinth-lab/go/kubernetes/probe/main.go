// What the pods of a lab run: it answers on port 8080 with its host's name, and asks others. Installers' exit codes and Ready
// nodes do not prove that pods reach each other; this does.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Each question is bounded, so that a dead route is an answer.
const patience = 5 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	switch {
	case len(words) == 0 || words[0] == "serve":
		return serve()
	case len(words) == 2 && words[0] == "get":
		return get(words[1])
	case len(words) == 2 && words[0] == "resolve":
		return resolve(words[1])
	}
	return fmt.Errorf("usage: probe serve | get URL | resolve NAME")
}

func serve() error {
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, name) }
	server := &http.Server{Addr: ":8080", Handler: http.HandlerFunc(answer), ReadHeaderTimeout: patience}
	go func() {
		<-ended.Done()
		server.Close()
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func get(url string) error {
	client := http.Client{Timeout: patience}
	said, err := client.Get(url)
	if err != nil {
		return err
	}
	defer said.Body.Close()
	if _, err := io.Copy(os.Stdout, said.Body); err != nil {
		return err
	}
	if said.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", said.Status)
	}
	return nil
}

func resolve(name string) error {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(addresses, " "))
	return nil
}
