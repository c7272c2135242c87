package dev.holdfast.rollover;

import dev.holdfast.ca.Ca;
import dev.holdfast.commands.Commands;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import dev.holdfast.rotation.Renewals;
import dev.holdfast.telemetry.Telemetry;
import java.security.SecureRandom;
import java.time.InstantSource;

/// The room's door: ceremonies and rollovers.
public final class AuthorityLifecycle implements AutoCloseable {
    private final Ceremonies ceremonies;
    private final Rollovers rollovers;
    private final RootInvitations invitations;
    private final TrustReports trust;

    public AuthorityLifecycle(
            Database database,
            Journal journal,
            Ca ca,
            Renewals renewals,
            Commands commands,
            InstantSource clock,
            SecureRandom random) {
        this.ceremonies = new Ceremonies(database, journal);
        this.rollovers = new Rollovers(database, journal, ca, renewals, clock, random);
        this.invitations = new RootInvitations(database, journal, ca, commands, clock);
        this.trust = new TrustReports(database, journal, ca, clock);
        journal.subscribe(entry -> {
            if (entry.content().contains("\"kind\":\"rollover.started\"")) {
                invitations.begin();
            }
            if (entry.content().contains("\"kind\":\"rollover.moved\"")
                    || entry.content().contains("\"kind\":\"authority.installed\"")) {
                // Another node's, perhaps; and not on the thread that brings the news.
                var _ = Thread.ofVirtual().name("issuer moved").start(rollovers::tellMoved);
            }
        });
    }

    /// Begins to hear devices' reports, to tell them of new roots, and to end emergencies when their time is
    /// over; called once.
    public void start(Telemetry telemetry) {
        telemetry.subscribe((_, observation) -> trust.accept(observation));
        telemetry.alsoFlush("emergency rollovers", rollovers::endDue);
        telemetry.alsoFlush("roots to learn", invitations::tellDue);
    }

    /// A device has fetched our authorities over a connection of its own.
    ///
    /// @param certificate the one it showed
    public void fetched(Serial certificate) {
        trust.fetched(certificate);
    }

    /// Begins no more changes; called before telemetry, which runs them, is closed.
    @Override
    public void close() {
        invitations.close();
    }

    public Ceremonies ceremonies() {
        return ceremonies;
    }

    public Rollovers rollovers() {
        return rollovers;
    }
}
