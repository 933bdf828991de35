"""Serves a mirror: files as they lie, and images as a registry does that is asked in place of others.

Such a registry is told by `ns` whose image is meant. Arguments: address, port, folder. Read only; it knows no logins.
"""

import functools
import http.server
import sys
import urllib.parse

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # What greets with TLS gets a status line, too: that is how clients learn that here is none.
    default_request_version = "HTTP/1.0"

    def translate_path(self, path):
        parts = urllib.parse.urlsplit(path)
        if not parts.path.startswith("/v2/") or parts.path == "/v2/":
            return super().translate_path(path)
        *name, kind, reference = parts.path[len("/v2/"):].split("/")
        space = urllib.parse.parse_qs(parts.query).get("ns", [""])
        inside = ["blobs", reference] if reference.startswith("sha256:") else [kind, *space, *name, reference]
        return super().translate_path("/v2/" + "/".join(inside))

    def guess_type(self, path):
        return MANIFEST if "/manifests/" in self.path else super().guess_type(path)

    # A listing would name files that a client of a registry then takes for an image.
    def list_directory(self, path):
        self.send_error(404)


def main():
    address, port, folder = sys.argv[1:]
    handler = functools.partial(Handler, directory=folder)
    http.server.ThreadingHTTPServer((address, int(port)), handler).serve_forever()


main()
