package dev.holdfast.sessions;

/// How often a device may do something: so many tokens a second, with a burst; time is passed in (nanoseconds of
/// [System#nanoTime]).
public final class TokenBucket {
    private final double perNano;
    private final double most;
    private double tokens;
    private long at;

    public TokenBucket(int perSecond, int burst, long now) {
        perNano = perSecond / 1e9;
        most = burst;
        tokens = burst;
        at = now;
    }

    /// @return false when there are not as many tokens; none is taken then
    public synchronized boolean take(double wanted, long now) {
        refill(now);
        if (tokens < wanted) {
            return false;
        }
        tokens -= wanted;
        return true;
    }

    public synchronized boolean isFull(long now) {
        refill(now);
        return tokens >= most;
    }

    private void refill(long now) {
        if (now - at > 0) {
            tokens = Math.min(most, tokens + (now - at) * perNano);
            at = now;
        }
    }
}
