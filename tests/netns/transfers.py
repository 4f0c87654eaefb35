"""One file moved between this stack and the kernel, either way: what was expected, what came."""

from peers import FETCH, HTTP_FILE, KERNEL, PYTHON, STACK, in_url, random_file, sha256_of, url


def curl_from_c_server(namespace, version, size, client=None, **keys):
    """curl (kernel) fetches a file from the C example (this stack): both SHA-256. `client` is the
    namespace that curl runs in, when it is another."""
    file, expected = random_file(namespace.directory, size)
    server = namespace.start(HTTP_FILE, file, 1, 8080, url(**keys))
    fetched = namespace.directory / "fetched.bin"
    address = f"http://{in_url(STACK[version])}:8080/data.bin"
    command = ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "-o", fetched, address]
    (client or namespace).run(*command)
    assert namespace.wait(server) == 0, "the server failed"
    return expected, sha256_of(fetched)


def python_client_from_http_server(namespace, version, size, server=None, **keys):
    """http.client (this stack) fetches a file from http.server (kernel): both SHA-256. `server` is the
    namespace that http.server runs in, when it is another, and its address."""
    file, expected = random_file(namespace.directory, size)
    place, address = server or (namespace, KERNEL[version])
    # The interface and the kernel's address on it come with the client's stack.
    any_address = {4: "0.0.0.0", 6: "::"}[version]
    place.start(
        PYTHON, "-m", "http.server", "8000", "--bind", any_address, "--directory", namespace.directory
    )
    fetched = namespace.run(
        PYTHON, "-m", "tcpstack", url(**keys), FETCH, address, "8000", f"/{file.name}"
    )
    return expected, fetched.strip()
