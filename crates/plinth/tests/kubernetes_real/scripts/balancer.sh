# A service gets the address that it asks for, if a pool has it.
services='{range .items[?(@.spec.type=="LoadBalancer")]}{.metadata.namespace} {.metadata.name} {.metadata.annotations.metallb\.io/loadBalancerIPs} {.status.loadBalancer.ingress[0].ip}{"\n"}{end}'
give() {
    kubectl get services -A -o jsonpath="$services" > /tmp/services
    while read -r namespace name wanted has; do
        [ "$wanted" ] && [ "$wanted" != "$has" ] || continue
        kubectl get ipaddresspools.metallb.io "ingress-$wanted" < /dev/null || continue
        kubectl patch service "$name" -n "$namespace" --subresource=status --type=merge \
            -p '{"status":{"loadBalancer":{"ingress":[{"ip":"'"$wanted"'"}]}}}' < /dev/null
    done < /tmp/services
}
while :; do kubectl get services -A -w -o name | while read -r _; do give < /dev/null; done; done
