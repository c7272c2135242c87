package dev.holdfast.revocation;

import dev.holdfast.ca.Ca;
import dev.holdfast.config.Configuration;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import java.nio.file.Path;
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
    private final Semaphore work = new Semaphore(0);
    private volatile boolean closing;
    private @Nullable Thread upkeep;

    /// @param url what URLs in certificates begin with
    /// @param folder for whole lists
    /// @param node this node's name
    public Revocation(
            Database database,
            Journal journal,
            Ca ca,
            Configuration configuration,
            String url,
            Path folder,
            String node,
            InstantSource clock) {
        responders = new Responders(ca.authorities(), ca.serviceCertificates(), clock);
        statusResponder = new StatusResponder(ca.authorities(), responders, ca.standings(), clock);
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
                    lists.refresh();
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
