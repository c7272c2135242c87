package dev.holdfast.detection;

/// Which distinct destinations and ports a device spoke to within a window, as far as is needed to say "too
/// many".
/// Holds hashes; immutable.
final class Reach {
    static final int MOST_HOSTS = 20;
    static final int MOST_PORTS = 20;
    private static final long WINDOW = 5 * 60_000L;
    private static final long REFUSED_WINDOW = 60 * 60_000L;
    private static final int[] EMPTY = {};
    static final Reach NONE = new Reach(0, EMPTY, EMPTY, 0, 0);

    private final long since;
    private final int[] hosts;
    private final int[] ports;
    private final int refused;
    private final long refusedSince;

    Reach(long since, int[] hosts, int[] ports, int refused, long refusedSince) {
        this.since = since;
        this.hosts = hosts;
        this.ports = ports;
        this.refused = refused;
        this.refusedSince = refusedSince;
    }

    /// When the window began, in milliseconds.
    long since() {
        return since;
    }

    int[] hosts() {
        return hosts.clone();
    }

    int[] ports() {
        return ports.clone();
    }

    /// Flows to destinations that its model does not allow.
    int refused() {
        return refused;
    }

    /// The first of those.
    long refusedSince() {
        return refusedSince;
    }

    Reach to(String destination, int port, long now) {
        boolean fresh = now - since > WINDOW;
        int[] knownHosts = fresh ? EMPTY : hosts;
        int[] knownPorts = fresh ? EMPTY : ports;
        int[] nextHosts = add(knownHosts, destination.hashCode(), MOST_HOSTS + 1);
        int[] nextPorts = add(knownPorts, destination.hashCode() * 31 + port, MOST_PORTS + 1);
        return new Reach(fresh ? now : since, nextHosts, nextPorts, refused, refusedSince);
    }

    Reach refused(long now) {
        boolean fresh = refused == 0 || now - refusedSince > REFUSED_WINDOW;
        return new Reach(since, hosts, ports, fresh ? 1 : Math.min(1_000_000, refused + 1), fresh ? now : refusedSince);
    }

    boolean isFanOut() {
        return hosts.length > MOST_HOSTS;
    }

    /// Many ports of few hosts; many hosts are a fan-out already.
    boolean isPortScan() {
        return ports.length > MOST_PORTS && hosts.length * 4 <= ports.length;
    }

    private static int[] add(int[] known, int hash, int most) {
        if (known.length >= most) {
            return known;
        }
        for (int k : known) {
            if (k == hash) {
                return known;
            }
        }
        int[] next = java.util.Arrays.copyOf(known, known.length + 1);
        next[known.length] = hash;
        return next;
    }
}
