package dev.holdfast.revocation;

import dev.holdfast.ca.Ca;
import dev.holdfast.config.Configuration;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The room's door: who asks whether a certificate still counts is answered here.
public final class Revocation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Revocation.class);
    private static final long UPKEEP_SECONDS = 5;

    private final Responders responders;
    private final StatusResponder statusResponder;
    private final RevocationLists lists;
    private final Freeze freeze;
    private final Semaphore work = new Semaphore(0);
    private volatile boolean closing;
    private @Nullable Thread upkeep;

    /// @param url what URLs in certificates begin with
    /// @param folder for whole lists
    /// @param node this node's name
    public Revocation(
            Database database,
            Journal journal,
            Freeze freeze,
            Ca ca,
            Configuration configuration,
            String url,
            Path folder,
            String node,
            InstantSource clock) {
        responders = new Responders(ca.authorities(), ca.serviceCertificates(), clock);
        this.freeze = freeze;
        Duration blindAfter = configuration.limits().databaseSilence();
        statusResponder = new StatusResponder(
                ca.authorities(),
                responders,
                ca.standings(),
                () -> freeze.isFrozen() || journal.silence().compareTo(blindAfter) > 0,
                clock);
        lists = new RevocationLists(
                database,
                journal,
                ca.authorities(),
                new RevocationListStore(folder),
                new RevocationLists.Settings(url, configuration.certificates().revocationListLifetime(), node),
                clock);
        journal.subscribe(entry -> {
            if (entry.content().contains("\"kind\":\"authority.")) {
                work.release(); // a new authority needs its responder before anybody asks
            }
        });
    }

    /// Makes what is needed to answer; called once, when the journal's tail runs and before anybody can ask.
    public void start() {
        responders.renew();
        upkeep = Thread.ofVirtual().name("revocation-upkeep").start(this::upkeep);
    }

    private void upkeep() {
        try {
            while (!closing) {
                var _ = work.tryAcquire(UPKEEP_SECONDS, TimeUnit.SECONDS);
                work.drainPermits();
                if (closing) {
                    return;
                }
                try {
                    responders.renew();
                    if (!mayHaveForgotten()) {
                        lists.refresh();
                    }
                } catch (RuntimeException e) {
                    LOG.warn("revocation upkeep: {}", e.toString());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// OCSP.
    public StatusResponder statusResponder() {
        return statusResponder;
    }

    /// Whether revocations may be missing from the records, because they are a backup's and what came after is
    /// not merged: a list made of them would be newer than one that knew better.
    public boolean mayHaveForgotten() {
        return freeze.isFrozen();
    }

    /// CRLs.
    public RevocationLists lists() {
        return lists;
    }

    @Override
    public void close() {
        closing = true;
        work.release();
        try {
            if (upkeep != null) {
                upkeep.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
