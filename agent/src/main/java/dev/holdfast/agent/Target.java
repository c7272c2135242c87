package dev.holdfast.agent;

import java.net.URI;

/// A server's host and port.
public record Target(String host, int port) {
    public Target {
        if (host.isBlank() || port < 1 || port > 65_535) {
            throw new IllegalArgumentException("not host and port: " + host + ":" + port);
        }
    }

    /// @param text `host:port`, or an https URL
    public static Target parse(String text, int defaultPort) {
        URI uri = URI.create(text.contains("://") ? text : "https://" + text);
        if (uri.getHost() == null) {
            throw new IllegalArgumentException("not a host and port: " + text);
        }
        String host = uri.getHost().startsWith("[")
                ? uri.getHost().substring(1, uri.getHost().length() - 1)
                : uri.getHost();
        return new Target(host, uri.getPort() < 0 ? defaultPort : uri.getPort());
    }

    boolean serves(URI uri) {
        int uriPort = uri.getPort() < 0 ? 443 : uri.getPort();
        return "https".equals(uri.getScheme()) && host.equalsIgnoreCase(uri.getHost()) && port == uriPort;
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
