package dev.holdfast.detection;

import dev.holdfast.telemetry.Observation.SessionActivity;

/// Who uses an identity, as far as its sessions tell, and how often they took turns. Immutable.
///
/// Two live sessions are no clone: after a NAT rebinding the old one lingers, silent. Two that *take turns*
/// are: an
/// older MQTT session that speaks after a newer one has, and then the newer again. Weaker, and so counted half:
/// two
/// hosts that keep replacing each other's session, and over HTTPS (where one device opens many connections) two
/// hosts
/// in turn.
///
/// @param score two for a turn between known sessions, one for a turn between hosts, within the window
/// @param scoreSince the first of those turns, in milliseconds; 0 for none
/// @param usedSinceSuperseded whether the present certificate has been used since a superseded one was last
///     tried
/// @param supersededTurns how often a superseded certificate was tried after the present one had been used
record Parties(
        Track mqtt,
        Track https,
        int score,
        long scoreSince,
        boolean usedSinceSuperseded,
        int supersededTurns,
        long supersededSince) {
    /// Old, new, old, new: three changes back between known sessions are not packets that came late.
    static final int CLONE = 6;

    static final int SUPERSEDED_TURNS = 2;
    private static final long WINDOW = 15 * 60_000L;
    private static final long SUPERSEDED_WINDOW = 24 * 60 * 60_000L;
    static final Parties NONE = new Parties(Track.NONE, Track.NONE, 0, 0, false, 0, 0);

    /// The two latest parties over one protocol; hosts are hashes, 0 for none.
    record Track(long newestSession, long session, int host, int otherHost) {
        static final Track NONE = new Track(0, 0, 0, 0);
    }

    /// The host of `address:port` or `[address]:port`, hashed.
    static int host(String remoteAddress) {
        int colon = remoteAddress.lastIndexOf(':');
        boolean hasPort = colon > 0 && (remoteAddress.indexOf(':') == colon || remoteAddress.charAt(colon - 1) == ']');
        return (hasPort ? remoteAddress.substring(0, colon) : remoteAddress).hashCode() | 1;
    }

    Parties used(SessionActivity activity, long now) {
        boolean overHttps = activity.protocol().equals("https");
        Track track = overHttps ? https : mqtt;
        long session = activity.sessionId();
        int host = host(activity.remoteAddress());
        int points = points(track, session, host, overHttps);
        Track next = new Track(
                Math.max(track.newestSession, session),
                session,
                host,
                host == track.host ? track.otherHost : track.host);
        boolean fresh = score == 0 || now - scoreSince > WINDOW;
        return new Parties(
                overHttps ? mqtt : next,
                overHttps ? next : https,
                fresh ? points : Math.min(100, score + points),
                fresh ? (points > 0 ? now : 0) : scoreSince,
                true,
                supersededTurns,
                supersededSince);
    }

    private static int points(Track track, long session, int host, boolean overHttps) {
        if (track.session == 0 || session == track.session) {
            return 0;
        }
        if (!overHttps && session <= track.newestSession) {
            return 2;
        }
        return host != track.host && host == track.otherHost ? 1 : 0;
    }

    boolean isClone() {
        return score >= CLONE;
    }

    /// Somebody who holds its key tried a certificate that has been superseded.
    Parties superseded(long now) {
        boolean fresh = supersededTurns == 0 || now - supersededSince > SUPERSEDED_WINDOW;
        boolean counts = usedSinceSuperseded;
        return new Parties(
                mqtt,
                https,
                score,
                scoreSince,
                false,
                counts ? (fresh ? 1 : Math.min(100, supersededTurns + 1)) : supersededTurns,
                counts && fresh ? now : supersededSince);
    }

    boolean isSupersededInTurn() {
        return supersededTurns >= SUPERSEDED_TURNS;
    }
}
