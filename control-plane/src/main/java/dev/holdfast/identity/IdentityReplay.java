package dev.holdfast.identity;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Replayer;
import dev.holdfast.journal.Transaction;
import java.util.Map;
import java.util.Optional;

/// After a restore: manufacturers whose anchor was withdrawn after the backup are not trusted, and a
/// single-use enrolment token that may have been used after it is not good a second time; nor is a batch of
/// claims that was closed, or a place in it that was taken.
public final class IdentityReplay implements Replayer {
    private static final Actor JOURNAL = new Actor.Holdfast("journal");
    private static final String DEVICE = "device:";
    private static final String MANUFACTURER = "manufacturer:";
    private static final String CLAIMS = "claims:";

    @Override
    public boolean replay(Transaction tx, Recorded entry) {
        JsonNode json = entry.json();
        return switch (json.path("kind").asText()) {
            case "manufacturer.anchor-withdrawn" -> withdrawAnchor(tx, json);
            case "certificate.issued" -> withdrawTokens(tx, json);
            case "claims.closed" -> closeBatch(tx, json);
            case "claims.used" -> useClaim(tx, json);
            default -> false;
        };
    }

    private static boolean withdrawAnchor(Transaction tx, JsonNode json) {
        String subject = json.path("subject").asText();
        if (!EnrolmentStore.withdrawAnchor(tx.sql(), subject.substring(MANUFACTURER.length()))) {
            return false;
        }
        tx.record(new Entry(
                "manufacturer.anchor-withdrawn",
                new Environment(json.path("environment").asText()),
                subject,
                JOURNAL,
                "again after a restore: " + json.path("reason").asText(),
                Map.of()));
        return true;
    }

    private static boolean closeBatch(Transaction tx, JsonNode json) {
        String subject = json.path("subject").asText();
        Environment environment = new Environment(json.path("environment").asText());
        Optional<Claims.Batch> batch = ClaimStore.byId(tx.sql(), environment, subject.substring(CLAIMS.length()), true);
        if (batch.isEmpty() || batch.get().closedAt().isPresent()) {
            return false;
        }
        ClaimStore.close(tx.sql(), batch.get().id(), tx.now());
        tx.record(new Entry(
                "claims.closed",
                environment,
                subject,
                JOURNAL,
                "again after a restore: " + json.path("reason").asText(),
                Map.of("used", batch.get().used())));
        return true;
    }

    /// A place that was taken after the backup stays taken.
    private static boolean useClaim(Transaction tx, JsonNode json) {
        String subject = json.path("subject").asText();
        DeviceId device = new DeviceId(subject.substring(DEVICE.length()));
        Optional<Claims.Batch> batch = ClaimStore.byId(
                tx.sql(),
                new Environment(json.path("environment").asText()),
                json.at("/body/batch").asText(),
                true);
        if (batch.isEmpty() || ClaimStore.hasClaimed(tx.sql(), batch.get().id(), device)) {
            return false;
        }
        Serial serial = new Serial(json.at("/body/serial").asText());
        ClaimStore.use(tx.sql(), batch.get().id(), device, serial, tx.now());
        return false;
    }

    private static boolean withdrawTokens(Transaction tx, JsonNode json) {
        String subject = json.path("subject").asText();
        if (subject.startsWith(DEVICE)) {
            String id = subject.substring(DEVICE.length());
            EnrolmentStore.withdrawTokens(
                    tx.sql(), DeviceRef.of(json.path("environment").asText(), id), tx.now());
        }
        return false;
    }
}
