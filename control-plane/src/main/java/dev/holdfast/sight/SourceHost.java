package dev.holdfast.sight;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Which addresses count as one: an IPv4 address is itself; of an IPv6 address the first 64 bits, for whoever has
/// one address of such a network has all of them.
final class SourceHost {
    private static final int NETWORK_GROUPS = 4;
    private static final int LONGEST = 64;

    private SourceHost() {}

    /// @param address with its port, as our socket saw it: `203.0.113.9:40112`, `2001:db8:0:0:0:0:0:1:40112`,
    ///     `[2001:db8::1]:40112`; empty where it was not known
    static String of(String address) {
        int colon = address.lastIndexOf(':');
        return alone(colon < 0 ? address : address.substring(0, colon));
    }

    /// The same, of an address without a port.
    static String alone(String address) {
        String host = address.replace("[", "").replace("]", "");
        int zone = host.indexOf('%');
        host = (zone < 0 ? host : host.substring(0, zone)).toLowerCase(Locale.ROOT);
        if (host.indexOf(':') < 0 || host.indexOf('.') >= 0) { // mapped IPv4 ends in dots
            return cut(host.substring(host.lastIndexOf(':') + 1));
        }
        return cut(network(host));
    }

    private static String network(String host) {
        int gap = host.indexOf("::");
        List<String> groups = new ArrayList<>();
        for (String group : (gap < 0 ? host : host.substring(0, gap)).split(":", -1)) {
            groups.add(plain(group));
        }
        if (gap >= 0) {
            List<String> after = List.of(host.substring(gap + 2).split(":", -1));
            int missing = 8 - groups.size() - after.size();
            for (int i = 0; i < missing; i++) {
                groups.add("0");
            }
            after.forEach(group -> groups.add(plain(group)));
        }
        return String.join(":", groups.subList(0, Math.min(NETWORK_GROUPS, groups.size()))) + "::/64";
    }

    private static String plain(String group) {
        String significant = group.replaceFirst("^0+", "");
        return significant.isEmpty() ? "0" : significant;
    }

    private static String cut(String host) {
        return host.length() > LONGEST ? host.substring(0, LONGEST) : host;
    }
}
