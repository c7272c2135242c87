package dev.holdfast.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.testkit.FromDebian;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/// Project Wycheproof's test vectors, which `scripts/from-debian` fetches; that they can't be had is a failure.
public final class Wycheproof {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Wycheproof() {}

    /// What a vector says of itself.
    public enum Result {
        VALID,
        INVALID,
        /// Neither is wrong: a matter of how strict one wants to be.
        ACCEPTABLE
    }

    /// One vector, with the group that it stands in.
    public record Case(JsonNode group, JsonNode test) {
        public Result result() {
            return Result.valueOf(test.get("result").textValue().toUpperCase(Locale.ROOT));
        }

        public boolean has(String flag) {
            for (JsonNode one : test.get("flags")) {
                if (one.textValue().equals(flag)) {
                    return true;
                }
            }
            return false;
        }

        public byte[] octets(String member) {
            return HexFormat.of().parseHex(test.path(member).asText(""));
        }

        public byte[] message() {
            return octets("msg");
        }

        public byte[] signature() {
            return octets("sig");
        }

        /// The group's SubjectPublicKeyInfo.
        public byte[] publicKey() {
            return HexFormat.of().parseHex(group.get("publicKeyDer").textValue());
        }

        @Override
        public String toString() {
            return test.get("tcId") + " (" + test.get("comment").textValue() + ", " + test.get("flags") + "): "
                    + test.get("result").textValue();
        }
    }

    /// Holds every vector of a file to what it says of itself: valid ones are accepted; invalid and acceptable
    /// ones refused.
    ///
    /// @param accepts what our code says
    public static void holdsTo(String file, Predicate<Case> accepts) {
        holdsTo(file, accepts, _ -> false, _ -> false);
    }

    /// @param stricter which of the valid ones we refuse on purpose
    /// @param broader which of the others we accept on purpose, because what we ask is another question
    public static void holdsTo(
            String file, Predicate<Case> accepts, Predicate<Case> stricter, Predicate<Case> broader) {
        List<String> wrong = new ArrayList<>();
        Map<Result, Integer> counted = new EnumMap<>(Result.class);
        int strict = 0;
        int broad = 0;
        for (Case one : cases(file)) {
            counted.merge(one.result(), 1, Integer::sum);
            boolean valid = one.result() == Result.VALID;
            boolean expected = valid ? !stricter.test(one) : broader.test(one);
            if (valid != expected) {
                strict += valid ? 1 : 0;
                broad += valid ? 0 : 1;
            }
            if (accepts.test(one) != expected) {
                wrong.add((expected ? "refused: " : "accepted: ") + one);
            }
        }
        System.out.printf(
                "vectors: Wycheproof %s: %d valid (%d refused for strictness), %d acceptable and %d invalid (%d taken)%n",
                file,
                counted.getOrDefault(Result.VALID, 0),
                strict,
                counted.getOrDefault(Result.ACCEPTABLE, 0),
                counted.getOrDefault(Result.INVALID, 0),
                broad);
        assertThat(wrong).as(file).isEmpty();
        assertThat(counted.getOrDefault(Result.VALID, 0))
                .as("valid ones in " + file)
                .isPositive();
        assertThat(counted.getOrDefault(Result.INVALID, 0))
                .as("invalid ones in " + file)
                .isPositive();
    }

    private static List<Case> cases(String file) {
        try {
            JsonNode whole = JSON.readTree(
                    Files.readAllBytes(FromDebian.folder("wycheproof").resolve(file + ".json")));
            List<Case> cases = new ArrayList<>();
            for (JsonNode group : whole.get("testGroups")) {
                for (JsonNode test : group.get("tests")) {
                    cases.add(new Case(group, test));
                }
            }
            assertThat(cases)
                    .as("as many as " + file + " says")
                    .hasSize(whole.get("numberOfTests").intValue());
            return cases;
        } catch (IOException e) {
            throw new UncheckedIOException("the vectors in " + file + " can't be read", e);
        }
    }
}
