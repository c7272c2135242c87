package dev.holdfast.notify;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Optional;

/// Where a webhook may point, so that nobody makes this server talk to what only this server can reach.
///
/// `https` only; plain `http` and loopback only where the configuration allows it, for trying things out.
/// Link-local
/// addresses (among them the metadata services of clouds), multicast and "any" are refused always. Private
/// networks
/// are allowed over https: receivers on one's own premises are the rule, and must hold a certificate for their
/// name.
/// The address is looked up once for each attempt and that very address is connected to, so a name can't change
/// its
/// meaning between the check and the connection.
final class WebhookAddress {
    private static final int MOST_CHARACTERS = 2_000;

    private WebhookAddress() {}

    /// @return why the address can't be used, or empty
    static Optional<String> refusal(URI url, boolean loopback) {
        String scheme = url.getScheme() == null ? "" : url.getScheme();
        String host = url.getHost();
        if (url.toString().length() > MOST_CHARACTERS) {
            return Optional.of("the address is longer than " + MOST_CHARACTERS + " characters");
        }
        if (host == null || host.isEmpty()) {
            return Optional.of("the address names no host");
        }
        if (url.getUserInfo() != null || url.getFragment() != null) {
            return Optional.of("the address must not hold a password or a fragment");
        }
        if (!scheme.equals("https") && !(scheme.equals("http") && loopback)) {
            return Optional.of("the address must begin with https://");
        }
        try {
            return refusal(scheme, InetAddress.getAllByName(bare(host))[0], loopback);
        } catch (UnknownHostException e) {
            return Optional.empty(); // it may have a name tomorrow; every attempt looks again
        }
    }

    /// The address to connect to.
    ///
    /// @throws UnknownHostException when the name has no address, or none that may be used
    static InetAddress resolve(URI url, boolean loopback) throws UnknownHostException {
        String why = "no address";
        for (InetAddress address : InetAddress.getAllByName(bare(url.getHost()))) {
            Optional<String> refusal = refusal(url.getScheme(), address, loopback);
            if (refusal.isEmpty()) {
                return address;
            }
            why = refusal.get();
        }
        throw new UnknownHostException(url.getHost() + ": " + why);
    }

    static Optional<String> refusal(String scheme, InetAddress address, boolean loopback) {
        if (address.isLoopbackAddress()) {
            return loopback ? Optional.empty() : Optional.of("the address is this machine itself");
        }
        if (scheme.equals("http")) {
            return Optional.of("plain http is allowed to this machine itself only");
        }
        if (address.isAnyLocalAddress() || address.isLinkLocalAddress() || address.isMulticastAddress()) {
            return Optional.of("the address is link-local, multicast or unspecified");
        }
        byte[] octets = address.getAddress();
        if (octets.length == 4 && ((octets[0] & 0xff) == 0 || (octets[0] & 0xff) >= 240)) {
            return Optional.of("the address is reserved");
        }
        return Optional.empty();
    }

    private static String bare(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }
}
