package dev.holdfast.revocation;

import dev.holdfast.ca.Ca;
import dev.holdfast.config.Configuration;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import java.time.InstantSource;

/// The room's door: who asks whether a certificate still counts is answered here.
public final class Revocation {
    private final StatusResponder statusResponder;
    private final RevocationLists lists;

    public Revocation(Database database, Journal journal, Ca ca, Configuration configuration, InstantSource clock) {
        statusResponder = new StatusResponder(ca.authorities(), ca.standings(), clock);
        lists = new RevocationLists(
                database,
                journal,
                ca.authorities(),
                configuration.certificates().revocationListLifetime(),
                clock);
    }

    /// OCSP.
    public StatusResponder statusResponder() {
        return statusResponder;
    }

    /// CRLs.
    public RevocationLists lists() {
        return lists;
    }
}
