package dev.holdfast.web;

import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The names this listener goes by: what may stand in `Host`, and the origin of the console.
///
/// A page from elsewhere whose name resolves to loopback (DNS rebinding) is told apart by its `Host`; a page from
/// elsewhere that posts to us by its `Origin`.
///
/// @param hostName what passkeys are bound to
/// @param port on which we listen
public record Identities(String origin, String hostName, int port, Set<String> hosts, Set<String> origins) {
    public Identities {
        hosts = Set.copyOf(hosts);
        origins = Set.copyOf(origins);
    }

    /// @param publicUrl under which operators reach the console; on loopback, `http://localhost:<port>` without it
    public static Identities of(boolean tls, int port, Optional<String> publicUrl, Optional<String> publicHostName) {
        String scheme = tls ? "https" : "http";
        Set<String> hosts = new TreeSet<>();
        Set<String> origins = new TreeSet<>();
        for (String loopback : new String[] {"localhost", "127.0.0.1", "[::1]"}) {
            add(hosts, origins, scheme, loopback, port);
        }
        Optional<URI> stated = publicUrl.map(URI::create);
        if (stated.isPresent()) {
            URI uri = stated.get();
            int statedPort = uri.getPort() < 0 ? (uri.getScheme().equals("https") ? 443 : 80) : uri.getPort();
            add(hosts, origins, uri.getScheme(), uri.getHost().toLowerCase(Locale.ROOT), statedPort);
            return new Identities(
                    origin(uri.getScheme(), uri.getHost(), statedPort), uri.getHost(), port, hosts, origins);
        }
        if (tls && publicHostName.isPresent()) {
            String name = publicHostName.get().toLowerCase(Locale.ROOT);
            add(hosts, origins, scheme, name, port);
            return new Identities(origin(scheme, name, port), name, port, hosts, origins);
        }
        return new Identities(origin(scheme, "localhost", port), "localhost", port, hosts, origins);
    }

    private static void add(Set<String> hosts, Set<String> origins, String scheme, String host, int port) {
        hosts.add(host + ":" + port);
        if (port == (scheme.equals("https") ? 443 : 80)) {
            hosts.add(host);
        }
        origins.add(origin(scheme, host, port));
    }

    private static String origin(String scheme, String host, int port) {
        boolean usual = port == (scheme.equals("https") ? 443 : 80);
        return scheme + "://" + host.toLowerCase(Locale.ROOT) + (usual ? "" : ":" + port);
    }
}
