// etcd itself. Release 3.5, because what Kubespray runs after an installation calls a command that 3.6 has no more; and not
// the one of Debian 12, with which the consistent reads of the API server fail.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
