package dev.holdfast.identity;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Replayer;
import dev.holdfast.journal.Transaction;
import java.util.Map;

/// After a restore: manufacturers whose anchor was withdrawn after the backup are not trusted, and a single-use
/// enrolment token that may have been used after it is not good a second time.
public final class IdentityReplay implements Replayer {
    private static final Actor JOURNAL = new Actor.Holdfast("journal");
    private static final String DEVICE = "device:";
    private static final String MANUFACTURER = "manufacturer:";

    @Override
    public boolean replay(Transaction tx, Recorded entry) {
        JsonNode json = entry.json();
        return switch (json.path("kind").asText()) {
            case "manufacturer.anchor-withdrawn" -> withdrawAnchor(tx, json);
            case "certificate.issued" -> withdrawTokens(tx, json);
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
