package dev.holdfast.acme;

import dev.holdfast.inventory.Network;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/// Where challenges may make this server connect to, so that nobody makes it talk to what only it can reach.
///
/// Only addresses in networks that the configuration names; loopback only where the configuration says so, for
/// trying things out; link-local (among it the metadata services of clouds), multicast and unspecified
/// addresses never.
///
/// @param networks none: nowhere
record AllowedTargets(List<Network> networks, boolean loopback) {
    AllowedTargets {
        networks = List.copyOf(networks);
    }

    boolean isNowhere() {
        return networks.isEmpty() && !loopback;
    }

    /// @return why this address can't be connected to, or empty
    Optional<String> refusal(InetAddress address) {
        if (address.isLoopbackAddress()) {
            return loopback ? Optional.empty() : Optional.of("the name leads to this machine itself");
        }
        if (address.isAnyLocalAddress() || address.isLinkLocalAddress() || address.isMulticastAddress()) {
            return Optional.of("the name leads to a link-local, multicast or unspecified address");
        }
        return networks.stream().anyMatch(n -> n.contains(address.getAddress()))
                ? Optional.empty()
                : Optional.of("the name leads to a network that acme.networks does not name");
    }
}
