package dev.holdfast.gateway;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/// Stops forwarded packets of isolated devices with nftables, in a table of its own, in the network namespace it
/// runs in.
///
/// Every change is one `nft -f` transaction: the kernel goes from the old duty to the new one at once, and packets
/// of connections that are open already are judged like any other.
public final class NftablesEnforcer implements Enforcer, AutoCloseable {
    private static final String TABLE = "inet holdfast";

    /// Replies to what stays open come back; everything else from or to an isolated device is dropped and counted.
    private static final String FRAME = """
            add table inet holdfast
            delete table inet holdfast
            table inet holdfast {
              set isolated4 { type ipv4_addr; }
              set isolated6 { type ipv6_addr; }
              set allowed4 { type ipv4_addr . ipv4_addr . inet_service; }
              set allowed6 { type ipv6_addr . ipv6_addr . inet_service; }
              chain forward {
                type filter hook forward priority -10; policy accept;
                ip saddr @isolated4 ip saddr . ip daddr . tcp dport @allowed4 accept
                ip daddr @isolated4 ip daddr . ip saddr . tcp sport @allowed4 accept
                ip6 saddr @isolated6 ip6 saddr . ip6 daddr . tcp dport @allowed6 accept
                ip6 daddr @isolated6 ip6 daddr . ip6 saddr . tcp sport @allowed6 accept
                ip saddr @isolated4 counter drop
                ip daddr @isolated4 counter drop
                ip6 saddr @isolated6 counter drop
                ip6 daddr @isolated6 counter drop
              }
            }
            """;

    private final List<String> nft;

    /// Sets the empty table up.
    ///
    /// @throws IOException when nftables can't be used here (no `nft`, or no right to)
    public static NftablesEnforcer open() throws IOException {
        return open(List.of("nft"));
    }

    /// @param nft how to run nft, such as `ip netns exec gateway nft`
    public static NftablesEnforcer open(List<String> nft) throws IOException {
        NftablesEnforcer enforcer = new NftablesEnforcer(nft);
        enforcer.run(FRAME);
        return enforcer;
    }

    private NftablesEnforcer(List<String> nft) {
        this.nft = List.copyOf(nft);
    }

    @Override
    public void enforce(Duty duty) throws IOException {
        run(script(duty));
    }

    /// Flushes and fills the sets: the rules never change, so there is no moment without them.
    static String script(Duty duty) {
        StringBuilder text = new StringBuilder();
        for (String set : List.of("isolated4", "isolated6", "allowed4", "allowed6")) {
            text.append("flush set ").append(TABLE).append(' ').append(set).append('\n');
        }
        Map<String, Set<String>> isolated = new TreeMap<>(duty.isolated());
        for (String family : List.of("4", "6")) {
            List<String> addresses = isolated.keySet().stream()
                    .filter(address -> family(address).equals(family))
                    .toList();
            List<String> allowed = new ArrayList<>();
            for (String address : addresses) {
                for (String destination : new TreeSet<>(isolated.getOrDefault(address, Set.of()))) {
                    int colon = destination.lastIndexOf(':');
                    String host = destination.substring(0, colon);
                    if (family(host).equals(family)) {
                        allowed.add(address + " . " + host + " . " + destination.substring(colon + 1));
                    }
                }
            }
            add(text, "allowed" + family, allowed);
            add(text, "isolated" + family, addresses);
        }
        return text.toString();
    }

    private static void add(StringBuilder text, String set, List<String> elements) {
        if (!elements.isEmpty()) {
            text.append("add element ").append(TABLE).append(' ').append(set);
            text.append(" { ").append(String.join(", ", elements)).append(" }\n");
        }
    }

    /// Addresses come from [Duty], which holds nothing that is not one.
    private static String family(String address) {
        return address.indexOf(':') >= 0 ? "6" : "4";
    }

    private void run(String script) throws IOException {
        List<String> command = new ArrayList<>(nft);
        command.addAll(List.of("-f", "-"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (OutputStream in = process.getOutputStream()) {
            in.write(script.getBytes(StandardCharsets.US_ASCII));
        }
        String said = new String(process.getInputStream().readNBytes(4096), StandardCharsets.UTF_8).strip();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("nft did not end within 5 s");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while nft ran", e);
        }
        if (process.exitValue() != 0) {
            throw new IOException("nft failed: " + said);
        }
    }

    /// Takes the table away, and so every block with it: only when the gateway gives its duty up.
    @Override
    public void close() throws IOException {
        run("delete table " + TABLE + "\n");
    }
}
