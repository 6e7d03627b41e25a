import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.graphx.Edge;
import org.apache.spark.graphx.Graph;
import org.apache.spark.storage.StorageLevel;
import scala.reflect.ClassTag;

/**
 * The PageRank of bench/jobs/pagerank.c: PageRank LINKS N OUTPUT, by GraphX: the fastest of three ways that were tried. Links and
 * ranks in RDDs that are divided alike, or in data frames, took more than twice the CPU time. Where every page has links, as
 * bench/links.c makes them, its ranks are the same.
 */
class PageRank {
    private static final double RESET = 0.15;

    /** "from TAB to". */
    private static Edge<Integer> link(String line) {
        int tab = line.indexOf('\t');

        return new Edge<>(Long.parseLong(line, 0, tab, 10), Long.parseLong(line, tab + 1, line.length(), 10), 1);
    }

    @SuppressWarnings("unchecked")
    private static ClassTag<Integer> ints() {
        return (ClassTag<Integer>) (ClassTag<?>) ClassTag.Int();
    }

    static void run(JavaSparkContext spark, String[] args) {
        JavaRDD<Edge<Integer>> links = Lines.read(spark, args[0]).map(PageRank::link);
        StorageLevel memory = StorageLevel.MEMORY_ONLY();
        Graph<Integer, Integer> graph = Graph.fromEdges(links.rdd(), 1, memory, memory, ints(), ints());
        Graph<Object, Object> ranks =
            org.apache.spark.graphx.lib.PageRank.run(graph, Integer.parseInt(args[1]), RESET, ints(), ints());

        Lines.save(ranks.vertices().toJavaRDD().map(page -> page._1 + "\t" + page._2), args[2]);
        ranks.unpersist(true);
        graph.unpersist(true);
    }
}
