package sample.city.south;

import sample.city.ground.Word;

public final class Well {
    private Well() {}

    public static Word draw() {
        return new Word("water at " + java.time.Instant.now() + new java.util.Random().nextInt());
    }
}
