package sample.city.north.deep;

public final class Cellar {
    private Cellar() {}
}
