package dev.holdfast.gateway;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Adds up traffic per device, destination and port until it is reported. Bounded: past the bound, what is new is
/// counted as lost and said so, and what is known goes on being counted.
public final class FlowBook {
    private static final int MOST_OPEN = 50_000;
    private static final int MOST_FAMILIAR = 200_000;
    private static final Duration FAMILIAR_FOR = Duration.ofMinutes(10);
    /// Once may be a mistake: the server acts upon the second time, which must not wait for the next regular report.
    private static final int UNFAMILIAR_UNTIL = 3;

    private final Map<Key, Sum> open = new LinkedHashMap<>();
    private final Map<Key, Sightings> familiar = new HashMap<>();
    private long lost;

    private record Sightings(Instant last, int times) {}

    private record Key(String source, String destination, int port, String protocol) {}

    private static final class Sum {
        Instant start;
        Instant end;
        long octets;
        long packets;

        Sum(Instant at) {
            start = at;
            end = at;
        }
    }

    /// @return true when this device was seen talking to this destination less than three times lately: worth
    ///     reporting at once
    public synchronized boolean add(Flow flow) {
        Key key = new Key(flow.source(), flow.destination(), flow.port(), flow.protocol());
        Sum sum = open.get(key);
        if (sum == null) {
            if (open.size() >= MOST_OPEN) {
                lost++;
                return false;
            }
            sum = new Sum(flow.start());
            open.put(key, sum);
        }
        sum.start = flow.start().isBefore(sum.start) ? flow.start() : sum.start;
        sum.end = flow.end().isAfter(sum.end) ? flow.end() : sum.end;
        sum.octets += flow.octets();
        sum.packets += flow.packets();
        if (familiar.size() >= MOST_FAMILIAR) {
            familiar.values().removeIf(seen -> seen.last().isBefore(flow.end().minus(FAMILIAR_FOR)));
            if (familiar.size() >= MOST_FAMILIAR) {
                familiar.clear();
            }
        }
        Sightings before = familiar.get(key);
        int times = before == null || before.last().isBefore(flow.end().minus(FAMILIAR_FOR))
                ? 1
                : Math.min(UNFAMILIAR_UNTIL, before.times() + 1);
        familiar.put(key, new Sightings(flow.end(), times));
        return times < UNFAMILIAR_UNTIL;
    }

    /// Takes at most so many flows out, oldest first.
    public synchronized List<Flow> take(int most) {
        List<Flow> taken = new ArrayList<>();
        var entries = open.entrySet().iterator();
        while (entries.hasNext() && taken.size() < most) {
            Map.Entry<Key, Sum> entry = entries.next();
            Key key = entry.getKey();
            Sum sum = entry.getValue();
            taken.add(new Flow(
                    key.source(),
                    sum.start,
                    sum.end,
                    key.destination(),
                    key.port(),
                    key.protocol(),
                    sum.octets,
                    sum.packets));
            entries.remove();
        }
        return taken;
    }

    /// How many flows did not fit.
    public synchronized long lost() {
        return lost;
    }
}
