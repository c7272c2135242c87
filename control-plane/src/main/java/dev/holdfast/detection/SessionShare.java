package dev.holdfast.detection;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.database.Database;
import dev.holdfast.telemetry.Observation.SessionActivity;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import java.util.function.Consumer;

/// What the nodes on one database tell each other of their sessions, so that an identity used on two of them at once
/// is seen as it would be on one.
///
/// Said once for each session: that it opened and that it closed. Only where two nodes hold sessions of one device is
/// its use told as well, for a minute at a time: so what is written goes with connects, not with messages. With one
/// node alone nothing is written but that it lives.
final class SessionShare {
    private static final int MOST_WAITING = 20_000;
    private static final int MOST_CONTENDED = 10_000;
    private static final int READ_BACK_SECONDS = 5;
    private static final long CONTENDED_FOR = 60_000;
    private static final int GREET_EVERY = 10;

    private final Database database;
    private final String node;
    private final Map<Long, SessionActivity> waiting = new ConcurrentHashMap<>();
    private final Map<DeviceRef, Long> contended = new ConcurrentHashMap<>();
    /// When the activity of another node that was passed on last happened; of contended devices only.
    private final Map<String, Long> passedOn = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
            return size() > 2 * MOST_CONTENDED;
        }
    };

    private int turns;
    private volatile boolean others;

    SessionShare(Database database, String node) {
        this.database = database;
        this.node = node;
    }

    /// A session of this node; on the shard's thread.
    void saw(SessionActivity activity) {
        boolean tell =
                activity.kind() == SessionActivity.Kind.USED ? isContended(activity) : others || isContended(activity);
        if (tell && waiting.size() < MOST_WAITING) {
            waiting.put(activity.sessionId(), activity);
        }
    }

    private boolean isContended(SessionActivity activity) {
        Long until = contended.get(activity.device());
        return until != null && until > activity.receivedAt().toEpochMilli();
    }

    /// One exchange, about every second; on one thread.
    ///
    /// @param isOpenHere whether this node has an open session of the device over the protocol
    /// @param pass takes what another node saw of such a device
    void exchange(long now, BiPredicate<DeviceRef, String> isOpenHere, Consumer<SessionActivity> pass) {
        Map<Long, SessionActivity> batch = new LinkedHashMap<>(waiting);
        boolean greet = turns++ % GREET_EVERY == 0;
        List<SessionShareStore.Shared> told = database.transact(sql -> {
            if (greet) {
                others = SessionShareStore.greet(sql, node);
                SessionShareStore.forget(sql);
            }
            if (!batch.isEmpty()) {
                SessionShareStore.write(sql, node, batch.values());
            }
            return SessionShareStore.read(sql, node, READ_BACK_SECONDS);
        });
        batch.forEach(waiting::remove);
        contended.values().removeIf(until -> until <= now);
        for (SessionShareStore.Shared shared : told) {
            SessionActivity activity = shared.activity();
            DeviceRef device = activity.device();
            boolean known = contended.containsKey(device);
            if (!known && (contended.size() >= MOST_CONTENDED || !isOpenHere.test(device, activity.protocol()))) {
                continue;
            }
            contended.put(device, now + CONTENDED_FOR);
            String key = shared.node() + ' ' + activity.sessionId();
            long at = activity.receivedAt().toEpochMilli();
            boolean ended = activity.kind() == SessionActivity.Kind.CLOSED;
            if (passedOn.getOrDefault(key, Long.MIN_VALUE) < (ended ? Long.MAX_VALUE : at)) {
                passedOn.put(key, ended ? Long.MAX_VALUE : at);
                pass.accept(activity);
            }
        }
    }
}
