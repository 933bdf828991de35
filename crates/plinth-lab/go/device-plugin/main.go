// A stand-in for the device plugins of GPUs and of InfiniBand functions: it offers devices that are folders and variables.
//
// device-plugin RESOURCE COUNT [env:NAME=VALUE | mount:HOST=CONTAINER]...
//
// In a value, `%` stands for the id of the device.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

type plugin struct {
	api.UnimplementedDevicePluginServer
	devices []*api.Device
	words   []string
}

func (p *plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p *plugin) ListAndWatch(_ *api.Empty, stream api.DevicePlugin_ListAndWatchServer) error {
	if err := stream.Send(&api.ListAndWatchResponse{Devices: p.devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (p *plugin) Allocate(_ context.Context, asked *api.AllocateRequest) (*api.AllocateResponse, error) {
	answer := &api.AllocateResponse{}
	for _, container := range asked.ContainerRequests {
		answer.ContainerResponses = append(answer.ContainerResponses, p.given(strings.Join(container.DevicesIds, ",")))
	}
	return answer, nil
}

func (p *plugin) given(ids string) *api.ContainerAllocateResponse {
	given := &api.ContainerAllocateResponse{Envs: map[string]string{}}
	for _, word := range p.words {
		kind, rest, _ := strings.Cut(word, ":")
		name, value, _ := strings.Cut(rest, "=")
		switch kind {
		case "env":
			given.Envs[name] = strings.ReplaceAll(value, "%", ids)
		case "mount":
			given.Mounts = append(given.Mounts, &api.Mount{HostPath: name, ContainerPath: value, ReadOnly: true})
		}
	}
	return given
}

func run(resource string, count int, words []string) error {
	served := &plugin{words: words}
	for id := 0; id < count; id++ {
		served.devices = append(served.devices, &api.Device{ID: fmt.Sprintf("standin-%d", id), Health: api.Healthy})
	}
	name := strings.NewReplacer("/", "-", ".", "-").Replace(resource) + ".sock"
	path := filepath.Join(api.DevicePluginPath, name)
	_ = os.Remove(path)
	socket, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	api.RegisterDevicePluginServer(server, served)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(socket) }()
	link, err := grpc.NewClient("unix://"+api.KubeletSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request := &api.RegisterRequest{Version: api.Version, Endpoint: name, ResourceName: resource}
	if _, err := api.NewRegistrationClient(link).Register(ctx, request); err != nil {
		return err
	}
	return <-ended
}

func main() {
	count, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = run(os.Args[1], count, os.Args[3:])
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
