package dev.holdfast;

import dev.holdfast.config.Configuration;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What devices and people are told to reach this server by: from the configuration, never from what a request said.
final class Addresses {
    private static final Logger LOG = LoggerFactory.getLogger(Addresses.class);

    private final Configuration configuration;

    Addresses(Configuration configuration) {
        this.configuration = configuration;
    }

    /// The name that is public, else the one that works on this machine.
    String host() {
        String host = configuration.publicHostName();
        return host == null ? "localhost" : host;
    }

    /// What URLs that devices are given begin with.
    ///
    /// @param port of device HTTPS, as bound
    String deviceUrl(int port) {
        return url(configuration.publicBaseUrls().device(), "https", port);
    }

    /// What URLs in certificates begin with.
    ///
    /// @param port of OCSP and CRLs, as bound
    String pkiUrl(int port) {
        return url(configuration.publicBaseUrls().pki(), "http", port);
    }

    private String url(@Nullable String configured, String scheme, int port) {
        return configured == null ? scheme + "://" + host() + ":" + port : configured.replaceAll("/+$", "");
    }

    /// What a quarantined device may still reach, as `ip:port`.
    List<String> healing(int device, int mqtt, int pki) {
        String host = configuration.publicHostName() == null ? "127.0.0.1" : configuration.publicHostName();
        List<String> reachable = new ArrayList<>();
        try {
            for (InetAddress address : InetAddress.getAllByName(host)) {
                for (int port : new int[] {device, mqtt, pki}) {
                    reachable.add(address.getHostAddress() + ":" + port);
                }
            }
        } catch (UnknownHostException e) {
            LOG.warn("{} has no address: quarantined devices can't be let through to it by gateways", host);
        }
        return reachable;
    }
}
