package dev.holdfast.rollover;

import dev.holdfast.ca.Ca;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import dev.holdfast.rotation.Renewals;
import dev.holdfast.telemetry.Telemetry;
import java.security.SecureRandom;
import java.time.InstantSource;

/// The room's door: ceremonies and rollovers.
public final class AuthorityLifecycle {
    private final Ceremonies ceremonies;
    private final Rollovers rollovers;
    private final TrustReports trust;

    public AuthorityLifecycle(
            Database database, Journal journal, Ca ca, Renewals renewals, InstantSource clock, SecureRandom random) {
        this.ceremonies = new Ceremonies(database, journal);
        this.rollovers = new Rollovers(database, journal, ca, renewals, clock, random);
        this.trust = new TrustReports(journal, ca);
    }

    /// Begins to hear devices' reports, and to end emergencies when their time is over; called once.
    public void start(Telemetry telemetry) {
        telemetry.subscribe((_, observation) -> trust.accept(observation));
        telemetry.alsoFlush("emergency rollovers", rollovers::endDue);
    }

    public Ceremonies ceremonies() {
        return ceremonies;
    }

    public Rollovers rollovers() {
        return rollovers;
    }
}
