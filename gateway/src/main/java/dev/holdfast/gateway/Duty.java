package dev.holdfast.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the server wants of this gateway: whose traffic it sees, and whose it stops.
///
/// @param members device by IP address
/// @param isolated for the address of each isolated device, the `ip:port` destinations that stay open to it
public record Duty(long revision, Map<String, String> members, Map<String, Set<String>> isolated) {
    public static final Duty NONE = new Duty(0, Map.of(), Map.of());

    public Duty {
        members = Map.copyOf(members);
        isolated = Map.copyOf(isolated);
    }

    /// Reads `desired.members` and `desired.isolated`. Entries that are not of the form are left out: one bad entry
    /// must not keep the others from being enforced.
    public static Duty read(long revision, JsonNode desired) {
        Map<String, String> members = new HashMap<>();
        for (JsonNode member : desired.path("members")) {
            String address = member.path("address").asText();
            String device = member.path("device").asText();
            if (isAddress(address) && !device.isEmpty()) {
                members.put(canonical(address), device);
            }
        }
        Map<String, Set<String>> isolated = new HashMap<>();
        for (JsonNode one : desired.path("isolated")) {
            String address = one.path("address").asText();
            if (!isAddress(address)) {
                continue;
            }
            Set<String> allowed = new HashSet<>();
            one.path("allow").forEach(each -> destination(each.asText()).ifPresent(allowed::add));
            isolated.put(canonical(address), Set.copyOf(allowed));
        }
        return new Duty(revision, members, isolated);
    }

    Optional<String> deviceAt(String address) {
        return Optional.ofNullable(members.get(address));
    }

    boolean permits(String source, String destination, int port) {
        Set<String> allowed = isolated.get(source);
        return allowed == null || allowed.contains(destination + ":" + port);
    }

    private static Optional<String> destination(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            return Optional.empty();
        }
        String address = text.substring(0, colon);
        String port = text.substring(colon + 1);
        return isAddress(address) && port.matches("\\d{1,5}")
                ? Optional.of(canonical(address) + ":" + port)
                : Optional.empty();
    }

    static boolean isAddress(String text) {
        return NetUtil.isValidIpV4Address(text) || NetUtil.isValidIpV6Address(text);
    }

    /// One way of writing each address (RFC 5952), without a zone.
    static String canonical(String address) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(address);
        try {
            return bytes == null ? address : NetUtil.toAddressString(InetAddress.getByAddress(bytes));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address of a wrong length", e);
        }
    }
}
