package dev.holdfast.inventory;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.Optional;

/// A CIDR prefix of IPv4 or IPv6, such as `10.0.0.0/24`; an address alone is a prefix of its whole length.
public final class Network {
    private final byte[] address;
    private final int prefix;

    private Network(byte[] address, int prefix) {
        this.address = address;
        this.prefix = prefix;
    }

    /// @throws IllegalArgumentException when the text is neither a prefix nor an address literal; names are
    /// never
    ///     looked up
    public static Network parse(String text) {
        int slash = text.indexOf('/');
        byte[] address = literal(slash < 0 ? text : text.substring(0, slash))
                .orElseThrow(() -> new IllegalArgumentException("not a network: write it like 10.0.0.0/24"));
        int prefix = slash < 0 ? address.length * 8 : prefix(text.substring(slash + 1));
        if (prefix > address.length * 8) {
            throw new IllegalArgumentException("a prefix longer than its address");
        }
        return new Network(address, prefix);
    }

    private static int prefix(String digits) {
        if (!digits.matches("[0-9]{1,3}")) {
            throw new IllegalArgumentException("not a prefix length");
        }
        return Integer.parseInt(digits);
    }

    /// The octets of an address literal, or empty.
    public static Optional<byte[]> literal(String text) {
        boolean formed = text.indexOf(':') >= 0
                ? text.matches("[0-9a-fA-F:.]{2,45}")
                : text.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
        if (!formed) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.ofLiteral(text).getAddress());
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    public boolean contains(byte[] other) {
        if (other.length != address.length) {
            return false;
        }
        int whole = prefix / 8;
        if (!Arrays.equals(address, 0, whole, other, 0, whole)) {
            return false;
        }
        int rest = prefix % 8;
        return rest == 0 || ((address[whole] & 0xff) >> (8 - rest)) == ((other[whole] & 0xff) >> (8 - rest));
    }
}
