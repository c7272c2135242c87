package dev.holdfast.profiles;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import org.jooq.DSLContext;

/// The table of profiles.
final class ProfileStore {
    private ProfileStore() {}

    static Map<Environment, Map<String, CertificateProfile>> all(DSLContext sql) {
        Map<Environment, Map<String, CertificateProfile>> all = new HashMap<>();
        sql.fetch("select environment, name, content from certificate_profile").forEach(row -> {
            String name = row.get(1, String.class);
            try {
                all.computeIfAbsent(new Environment(row.get(0, String.class)), _ -> new HashMap<>())
                        .put(name, ProfileText.read(name, Json.mapper().readTree(row.get(2, String.class))));
            } catch (JsonProcessingException | IllegalArgumentException e) {
                throw new IllegalStateException("the stored profile " + name + " can't be read", e);
            }
        });
        return all;
    }

    static void put(DSLContext sql, Environment environment, CertificateProfile profile, Instant now) {
        sql.execute(
                "insert into certificate_profile(environment, name, content, changed_at) values (?, ?, ?, ?)"
                        + " on conflict (environment, name) do update set content = excluded.content,"
                        + " changed_at = excluded.changed_at",
                environment.value(),
                profile.name(),
                ProfileText.write(profile).toString(),
                now.atOffset(ZoneOffset.UTC));
    }
}
