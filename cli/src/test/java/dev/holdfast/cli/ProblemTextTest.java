package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// What a person at a command line is told of a refusal: each thing once, and nothing that only a program can do.
class ProblemTextTest {
    private static String text(int status, String problem) {
        return ProblemText.of(status, ApiClient.parse(problem));
    }

    @Test
    void oneFaultIsSaidOnceAndInTheWordsOfTheCommand() {
        assertThat(text(400, """
                        {"type":"http://h/docs/problems/malformed-request","detail":"/reason: is missing",
                        "fix":"Compare the request with the contract.","errors":[{"at":"/reason","message":"is missing"}]}"""))
                .isEqualTo("reason: is missing\n  Fix: the command's --help says which values it takes");
    }

    @Test
    void severalFaultsAreAListThatDoesNotBeginWithTheFirst() {
        assertThat(text(400, """
                        {"type":"malformed-request","detail":"/a: x",
                        "errors":[{"at":"/a","message":"x"},{"at":"","message":"y"}]}""")).startsWith("2 faults:\n  a: x\n  all of it y\n");
    }

    @Test
    void aConflictSaysWhatStandsInTheWayAndNothingBeside() {
        assertThat(text(
                        409,
                        "{\"type\":\"/docs/problems/conflict\",\"detail\":\"m-1 is retired\",\"fix\":\"Read `x`\"}"))
                .isEqualTo("m-1 is retired");
    }

    @Test
    void aFaultOfTheServerCarriesTheReferenceAndTheServersOwnAdvice() {
        assertThat(text(
                        500,
                        "{\"type\":\"internal\",\"detail\":\"a fault\",\"fix\":\"try again\",\"reference\":\"r-1\"}"))
                .isEqualTo("a fault\n  Fix: try again\n  Reference: r-1");
    }

    @Test
    void whatTheServerSaysCantMoveTheCursor() {
        assertThat(text(409, "{\"type\":\"conflict\",\"detail\":\"a\\u001b[2Jb\"}"))
                .isEqualTo("a\\u001b[2Jb");
    }

    @Test
    void anEmptyProblemIsStillAnAnswer() {
        assertThat(text(418, "{}")).isEqualTo("refused, HTTP 418");
    }
}
