// A stand-in for crictl, which no registry of packages has: the verbs that installers and people in a lab use, with the
// output they read. What it does not know it refuses.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const usage = "usage: crictl [-r ENDPOINT] [-t TIMEOUT] version|info|ps|pods|images|pull|rmi|stop|rm|stopp|rmp|completion"

// options of all verbs; each verb reads the ones it has.
type options struct {
	all, force, quiet, verbose bool
	name, namespace, output    string
	words                      []string
}

type session struct {
	context context.Context
	runtime cri.RuntimeServiceClient
	images  cri.ImageServiceClient
	options options
	out     io.Writer
}

var verbs = map[string]func(*session) error{
	"completion": func(*session) error { return nil },
	"images":     (*session).listImages,
	"info":       (*session).info,
	"pods":       (*session).listPods,
	"ps":         (*session).listContainers,
	"pull":       (*session).pull,
	"rm":         (*session).removeContainers,
	"rmi":        (*session).removeImages,
	"rmp":        (*session).removePods,
	"stop":       (*session).stopContainers,
	"stopp":      (*session).stopPods,
	"version":    (*session).version,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crictl:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	global := flag.NewFlagSet("crictl", flag.ContinueOnError)
	endpoint := configured("runtime-endpoint", "unix:///run/containerd/containerd.sock")
	limit := 30 * time.Second
	for _, name := range []string{"r", "runtime-endpoint"} {
		global.StringVar(&endpoint, name, endpoint, "socket of the runtime")
	}
	ignored := global.String("i", "", "as -r")
	global.StringVar(ignored, "image-endpoint", "", "as -r")
	for _, name := range []string{"t", "timeout"} {
		global.DurationVar(&limit, name, limit, "how long a call may take")
	}
	if err := global.Parse(words); err != nil {
		return err
	}
	words = global.Args()
	if len(words) == 0 {
		return errors.New(usage)
	}
	verb, known := verbs[words[0]]
	if !known {
		return fmt.Errorf("there is no verb %s; %s", words[0], usage)
	}
	options, err := parsed(words[0], words[1:])
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	runtime, images := cri.NewRuntimeServiceClient(connection), cri.NewImageServiceClient(connection)
	return verb(&session{ctx, runtime, images, options, os.Stdout})
}

// configured reads one key of /etc/crictl.yaml, whose lines are all of the form "key: value".
func configured(key, otherwise string) string {
	text, _ := os.ReadFile("/etc/crictl.yaml")
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), key+":"); found {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return otherwise
}

// parsed takes options before, between and behind the words, as people write them.
func parsed(verb string, words []string) (options, error) {
	var o options
	set := flag.NewFlagSet(verb, flag.ContinueOnError)
	both := func(target *bool, short, long string) {
		set.BoolVar(target, short, false, "")
		set.BoolVar(target, long, false, "")
	}
	both(&o.all, "a", "all")
	both(&o.force, "f", "force")
	both(&o.quiet, "q", "quiet")
	both(&o.verbose, "v", "verbose")
	set.StringVar(&o.name, "name", "", "regular expression")
	set.StringVar(&o.namespace, "namespace", "", "regular expression")
	set.StringVar(&o.output, "o", "table", "table or json")
	set.StringVar(&o.output, "output", "table", "table or json")
	for {
		if err := set.Parse(words); err != nil {
			return o, err
		}
		words = set.Args()
		if len(words) == 0 {
			return o, nil
		}
		o.words, words = append(o.words, words[0]), words[1:]
	}
}

// each does the same for everything that was named; the first error is told after all were tried.
func (s *session) each(names []string, work func(string) error) error {
	var all error
	for _, name := range names {
		if err := work(name); err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", name, err))
			continue
		}
		fmt.Fprintln(s.out, name)
	}
	return all
}

func (s *session) version() error {
	said, err := s.runtime.Version(s.context, &cri.VersionRequest{})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Version:  %s\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  %s\n",
		said.Version, said.RuntimeName, said.RuntimeVersion, said.RuntimeApiVersion)
	return nil
}

func (s *session) info() error {
	said, err := s.runtime.Status(s.context, &cri.StatusRequest{Verbose: true})
	if err != nil {
		return err
	}
	return s.json(map[string]any{"status": said.Status, "info": said.Info})
}

func (s *session) json(value any) error {
	encoder := json.NewEncoder(s.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func fits(pattern, name string) (bool, error) {
	if pattern == "" {
		return true, nil
	}
	return regexp.MatchString(pattern, name)
}

func (s *session) pods() ([]*cri.PodSandbox, error) {
	said, err := s.runtime.ListPodSandbox(s.context, &cri.ListPodSandboxRequest{})
	if err != nil {
		return nil, err
	}
	var kept []*cri.PodSandbox
	for _, pod := range said.Items {
		name, err := fits(s.options.name, pod.Metadata.Name)
		if err != nil {
			return nil, err
		}
		namespace, err := fits(s.options.namespace, pod.Metadata.Namespace)
		if err != nil {
			return nil, err
		}
		if name && namespace {
			kept = append(kept, pod)
		}
	}
	return kept, nil
}

func (s *session) listPods() error {
	pods, err := s.pods()
	if err != nil || s.options.output == "json" {
		return errors.Join(err, s.jsonIf(err == nil, map[string]any{"items": pods}))
	}
	for _, pod := range pods {
		if s.options.quiet {
			fmt.Fprintln(s.out, pod.Id)
			continue
		}
		fmt.Fprintf(s.out, "%.13s  %-24s  %s  %s\n", pod.Id, pod.State, pod.Metadata.Namespace, pod.Metadata.Name)
	}
	return nil
}

func (s *session) jsonIf(good bool, value any) error {
	if !good {
		return nil
	}
	return s.json(value)
}

func (s *session) containers(all bool) ([]*cri.Container, error) {
	said, err := s.runtime.ListContainers(s.context, &cri.ListContainersRequest{})
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(said.Containers, func(one *cri.Container) bool {
		name, err := fits(s.options.name, one.Metadata.Name)
		return err != nil || !name || (!all && one.State != cri.ContainerState_CONTAINER_RUNNING)
	})
	return kept, nil
}

func (s *session) listContainers() error {
	containers, err := s.containers(s.options.all)
	if err != nil || s.options.output == "json" {
		return errors.Join(err, s.jsonIf(err == nil, map[string]any{"containers": containers}))
	}
	for _, one := range containers {
		if s.options.quiet {
			fmt.Fprintln(s.out, one.Id)
			continue
		}
		fmt.Fprintf(s.out, "%.13s  %-24s  %s  pod %.13s\n", one.Id, one.State, one.Metadata.Name, one.PodSandboxId)
	}
	return nil
}

func (s *session) listImages() error {
	said, err := s.images.ListImages(s.context, &cri.ListImagesRequest{})
	if err != nil || s.options.output == "json" {
		return errors.Join(err, s.jsonIf(err == nil, said))
	}
	for _, image := range said.Images {
		switch {
		case s.options.quiet:
			fmt.Fprintln(s.out, image.Id)
		case s.options.verbose:
			fmt.Fprintf(s.out, "ID: %s\n", image.Id)
			for _, tag := range image.RepoTags {
				fmt.Fprintf(s.out, "RepoTags: %s\n", tag)
			}
			for _, digest := range image.RepoDigests {
				fmt.Fprintf(s.out, "RepoDigests: %s\n", digest)
			}
			fmt.Fprintf(s.out, "Size: %d\n\n", image.Size)
		default:
			fmt.Fprintf(s.out, "%s  %.20s  %d\n", strings.Join(image.RepoTags, " "), image.Id, image.Size)
		}
	}
	return nil
}

func (s *session) pull() error {
	return s.each(s.options.words, func(name string) error {
		_, err := s.images.PullImage(s.context, &cri.PullImageRequest{Image: &cri.ImageSpec{Image: name}})
		return err
	})
}

func (s *session) removeImages() error {
	return s.each(s.options.words, func(name string) error {
		_, err := s.images.RemoveImage(s.context, &cri.RemoveImageRequest{Image: &cri.ImageSpec{Image: name}})
		return err
	})
}

// named gives the words, or with --all the ids of all containers.
func (s *session) named() ([]string, error) {
	if !s.options.all {
		return s.options.words, nil
	}
	containers, err := s.containers(true)
	var ids []string
	for _, one := range containers {
		ids = append(ids, one.Id)
	}
	return ids, err
}

func (s *session) stopContainers() error {
	return s.each(s.options.words, s.stop)
}

func (s *session) stop(id string) error {
	_, err := s.runtime.StopContainer(s.context, &cri.StopContainerRequest{ContainerId: id, Timeout: 10})
	return err
}

func (s *session) removeContainers() error {
	names, err := s.named()
	if err != nil {
		return err
	}
	return s.each(names, func(id string) error {
		if s.options.force {
			if err := s.stop(id); err != nil {
				return err
			}
		}
		_, err := s.runtime.RemoveContainer(s.context, &cri.RemoveContainerRequest{ContainerId: id})
		return err
	})
}

func (s *session) stopPods() error {
	return s.each(s.options.words, s.stopPod)
}

func (s *session) stopPod(id string) error {
	_, err := s.runtime.StopPodSandbox(s.context, &cri.StopPodSandboxRequest{PodSandboxId: id})
	return err
}

func (s *session) removePods() error {
	names := s.options.words
	if s.options.all {
		pods, err := s.pods()
		if err != nil {
			return err
		}
		for _, pod := range pods {
			names = append(names, pod.Id)
		}
	}
	return s.each(names, func(id string) error {
		if s.options.force {
			if err := s.stopPod(id); err != nil {
				return err
			}
		}
		_, err := s.runtime.RemovePodSandbox(s.context, &cri.RemovePodSandboxRequest{PodSandboxId: id})
		return err
	})
}
