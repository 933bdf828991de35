// Every program of Kubernetes that a lab runs, in one binary: the name it is called by, or else its first argument, says which.
// One link instead of seven; and one file in an image instead of four.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	complaints "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	verdicts "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	// What the upstream programs register by import: metrics of clients, versions and work queues; formats of logs.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	_ "k8s.io/component-base/metrics/prometheus/workqueue"
)

var programs = map[string]func() int{
	"kube-apiserver":          command(apiserver.NewAPIServerCommand),
	"kube-controller-manager": command(controllers.NewControllerManagerCommand),
	"kube-proxy":              command(proxy.NewProxyCommand),
	"kube-scheduler":          command(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubeadm":                 kubeadmToItsEnd,
	"kubectl":                 kubectlToItsEnd,
	"kubelet":                 command(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
}

func command(made func() *cobra.Command) func() int {
	return func() int { return cli.Run(made()) }
}

// Their exit codes tell kinds of errors apart, so their own ways to end are used.
func kubeadmToItsEnd() int {
	verdicts.HandleError(kubeadm.Run())
	return 0
}

func kubectlToItsEnd() int {
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		complaints.CheckErr(err)
	}
	return 0
}

// known finds the program a file is named after; a download keeps its version in its name, such as kubeadm-1.34.2-amd64.
func known(name string) func() int {
	base := filepath.Base(name)
	for program, run := range programs {
		if base == program || strings.HasPrefix(base, program+"-") {
			return run
		}
	}
	return nil
}

func main() {
	if run := known(os.Args[0]); run != nil {
		os.Exit(run())
	}
	if len(os.Args) > 1 {
		if run := known(os.Args[1]); run != nil {
			os.Args = os.Args[1:]
			os.Exit(run())
		}
	}
	names := make([]string, 0, len(programs))
	for name := range programs {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "call this by, or with, one of: %s\n", strings.Join(names, " "))
	os.Exit(64)
}
