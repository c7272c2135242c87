package dev.holdfast.detection;

import dev.holdfast.core.SessionOrder;
import dev.holdfast.telemetry.Observation.SessionActivity;

/// Who uses an identity, as far as its sessions tell, and how often they took turns. Immutable.
///
/// Two live sessions are no clone: after a NAT rebinding the old one lingers, silent. Two that *take turns
/// while both are open* are: an older session that speaks after a newer one has, and then the newer again. What
/// a device does when it reconnects never looks so: a session that was closed before the next one opened takes
/// no turn, and what arrives from the older one within [#LATE] of the newer one's opening was under way.
///
/// Weaker, and so counted half: two hosts that keep throwing each other's MQTT session out; and over HTTPS,
/// where one device opens many connections, two hosts in turn on connections that are open together.
///
/// Hosts in turn on connections that follow each other ([#sidesteps]) are not evidence enough to act upon:
/// carriers with several outside addresses make that of a single device.
///
/// @param score two for a turn between open sessions, one for a turn between hosts, within the window
/// @param scoreSince the first of those turns, in milliseconds; 0 for none
/// @param sidesteps changes back to the host before, without two sessions open at once
/// @param sidestepsSince the first of those, in milliseconds; 0 for none
/// @param usedSinceSuperseded whether the present certificate has been used since a superseded one was last tried
/// @param supersededTurns how often a superseded certificate was tried after the present one had been used
record Parties(
        Track mqtt,
        Track https,
        int score,
        long scoreSince,
        int sidesteps,
        long sidestepsSince,
        boolean usedSinceSuperseded,
        int supersededTurns,
        long supersededSince) {
    /// Old, new, old, new: three changes back between open sessions are not packets that came late.
    static final int CLONE = 6;

    static final int SUSPECTED = 12;
    static final int SUPERSEDED_TURNS = 2;
    static final long LATE = 2_000;
    private static final long WINDOW = 15 * 60_000L;
    private static final long SUPERSEDED_WINDOW = 24 * 60 * 60_000L;
    static final Parties NONE = new Parties(Track.NONE, Track.NONE, 0, 0, 0, 0, false, 0, 0);

    /// The two latest parties over one protocol.
    ///
    /// @param newest the newest session that has spoken and is open; 0 for none
    /// @param session the one that spoke last and is open; 0 for none
    /// @param host a hash, as [#otherHost]; 0 for none
    record Track(long newest, long session, int host, int otherHost) {
        static final Track NONE = new Track(0, 0, 0, 0);

        Track closed(long ended) {
            if (ended != newest && ended != session) {
                return this;
            }
            long left = ended == session ? 0 : session;
            return new Track(ended == newest ? left : newest, left, host, otherHost);
        }
    }

    /// What one use says about who uses the identity.
    private enum Turn {
        NONE(0),
        /// Back to an older session while a newer one is open.
        BETWEEN_SESSIONS(2),
        /// Back to another host while the session of the first is open.
        BETWEEN_HOSTS(1),
        SIDESTEP(0);

        private final int points;

        Turn(int points) {
            this.points = points;
        }
    }

    /// The host of `address:port` or `[address]:port`, hashed.
    static int host(String remoteAddress) {
        int colon = remoteAddress.lastIndexOf(':');
        boolean hasPort = colon > 0 && (remoteAddress.indexOf(':') == colon || remoteAddress.charAt(colon - 1) == ']');
        return (hasPort ? remoteAddress.substring(0, colon) : remoteAddress).hashCode() | 1;
    }

    boolean hasOpen(String protocol) {
        return (protocol.equals("https") ? https : mqtt).session != 0;
    }

    Parties used(SessionActivity activity, long now) {
        boolean overHttps = activity.protocol().equals("https");
        Track track = overHttps ? https : mqtt;
        long session = activity.sessionId();
        int host = host(activity.remoteAddress());
        if (session < track.newest && now - SessionOrder.openedAt(track.newest) <= LATE) {
            return this;
        }
        Turn turn = turn(track, session, host, overHttps);
        Track next = new Track(
                Math.max(track.newest, session), session, host, host == track.host ? track.otherHost : track.host);
        boolean fresh = score == 0 || now - scoreSince > WINDOW;
        int sidestep = turn == Turn.SIDESTEP ? 1 : 0;
        boolean freshSidesteps = sidesteps == 0 || now - sidestepsSince > WINDOW;
        return new Parties(
                overHttps ? mqtt : next,
                overHttps ? next : https,
                fresh ? turn.points : Math.min(100, score + turn.points),
                fresh ? (turn.points > 0 ? now : 0) : scoreSince,
                freshSidesteps ? sidestep : Math.min(100, sidesteps + sidestep),
                freshSidesteps ? (sidestep > 0 ? now : 0) : sidestepsSince,
                true,
                supersededTurns,
                supersededSince);
    }

    private static Turn turn(Track track, long session, int host, boolean overHttps) {
        if (session == track.session) {
            return Turn.NONE;
        }
        if (session <= track.newest) {
            if (track.session == 0) {
                return Turn.NONE; // whoever spoke last has left
            }
            if (!overHttps) {
                return Turn.BETWEEN_SESSIONS;
            }
            return host == track.host ? Turn.NONE : Turn.BETWEEN_HOSTS;
        }
        if (host == track.host || host != track.otherHost) {
            return Turn.NONE;
        }
        return !overHttps && track.session != 0 ? Turn.BETWEEN_HOSTS : Turn.SIDESTEP;
    }

    /// The session has ended: what its device does next on another one is no turn.
    Parties closed(SessionActivity activity) {
        boolean overHttps = activity.protocol().equals("https");
        long session = activity.sessionId();
        return new Parties(
                overHttps ? mqtt : mqtt.closed(session),
                overHttps ? https.closed(session) : https,
                score,
                scoreSince,
                sidesteps,
                sidestepsSince,
                usedSinceSuperseded,
                supersededTurns,
                supersededSince);
    }

    /// The same sessions, with nothing held against them.
    Parties settled() {
        return new Parties(mqtt, https, 0, 0, 0, 0, usedSinceSuperseded, 0, 0);
    }

    boolean isClone() {
        return score >= CLONE;
    }

    /// Perhaps two parties, perhaps a device behind a carrier that changes its address all the time.
    boolean isSuspected() {
        return sidesteps >= SUSPECTED;
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
                sidesteps,
                sidestepsSince,
                false,
                counts ? (fresh ? 1 : Math.min(100, supersededTurns + 1)) : supersededTurns,
                counts && fresh ? now : supersededSince);
    }

    boolean isSupersededInTurn() {
        return supersededTurns >= SUPERSEDED_TURNS;
    }
}
