package dev.holdfast.identity;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/// How often somebody may fail to authenticate: so many times a minute for one name, bounded in memory.
final class FailureLimit {
    private static final Duration WINDOW = Duration.ofMinutes(1);
    private static final int REMEMBERED = 10_000;
    private final int most;
    private final Map<String, Window> windows = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Window> eldest) {
            return size() > REMEMBERED;
        }
    };

    private record Window(Instant since, int failures) {}

    FailureLimit(int most) {
        this.most = most;
    }

    synchronized boolean isOver(String name, Instant now) {
        Window window = windows.get(name);
        return window != null
                && window.failures() >= most
                && Duration.between(window.since(), now).compareTo(WINDOW) < 0;
    }

    synchronized void failed(String name, Instant now) {
        windows.merge(
                name,
                new Window(now, 1),
                (before, fresh) -> Duration.between(before.since(), now).compareTo(WINDOW) < 0
                        ? new Window(before.since(), before.failures() + 1)
                        : fresh);
    }
}
