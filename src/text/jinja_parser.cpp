#include "text/jinja_parser.h"

#include <algorithm>
#include <initializer_list>

#include "text/jinja_expression_parser.h"

namespace agro::detail::jinja {
namespace {

constexpr size_t kMaxSource = size_t{1} << 20;

class Parser {
 public:
  explicit Parser(std::span<const Token> tokens) : reader_(tokens), expressions_(reader_, result_.expressions) {}

  Template run() {
    parse_block(result_.body, {});
    return std::move(result_);
  }

 private:
  using Names = std::initializer_list<std::string_view>;

  // Reads up to a tag that starts with one of `stops` (up to the end of the template if there are none) and stops
  // there.
  void parse_block(Block& block, Names stops) {
    const Nesting nesting(depth_, reader_);
    for (;;) {
      const Token& token = reader_.next();
      if (token.kind == TokenKind::end) {
        if (stops.size() == 0) return;
        throw reader_.unexpected(fmt::format("'{}'", *(stops.end() - 1)));
      }
      if (token.kind == TokenKind::text) {
        block.push_back({Text{token.text}, token.line});
      } else if (token.kind == TokenKind::output_begin) {
        const ExpressionRef value = expressions_.parse_tuple();
        reader_.expect(TokenKind::output_end, "'}}'");
        block.push_back({Output{value}, token.line});
      } else {
        if (reader_.at(TokenKind::name) && std::ranges::find(stops, reader_.peek().text) != stops.end()) return;
        parse_statement(block, token.line);
      }
    }
  }

  void parse_statement(Block& block, int line) {
    if (reader_.skip_name("generation")) {
      end_tag();
      parse_block(block, {"endgeneration"});
      return end_block();
    }
    block.push_back({parse_node(), line});
  }

  decltype(Statement::node) parse_node() {
    if (reader_.skip_name("set")) return parse_set();
    if (reader_.skip_name("if")) return parse_if();
    if (reader_.skip_name("for")) return parse_for();
    if (reader_.skip_name("macro")) return parse_macro();
    const bool leaves = reader_.skip_name("break");
    if (leaves || reader_.skip_name("continue")) {
      if (loops_ == 0) throw reader_.error("break and continue need a loop around them");
      end_tag();
      if (leaves) return Break{};
      return Continue{};
    }
    if (reader_.at(TokenKind::name)) throw reader_.error(fmt::format("unknown tag '{}'", reader_.peek().text));
    throw reader_.unexpected("the name of a tag");
  }

  decltype(Statement::node) parse_set() {
    Target target = parse_target(true);
    if (reader_.skip_symbol("=")) {
      const ExpressionRef value = expressions_.parse_tuple();
      end_tag();
      return Set{std::move(target), value};
    }
    Capture capture{std::move(target), {}};
    end_tag();
    parse_captured(capture.body, "endset");
    return capture;
  }

  If parse_if() {
    If result;
    do {
      const ExpressionRef condition = expressions_.parse_tuple();
      end_tag();
      result.branches.push_back({condition, {}});
      parse_block(result.branches.back().body, {"elif", "else", "endif"});
    } while (reader_.skip_name("elif"));
    if (reader_.skip_name("else")) {
      end_tag();
      parse_block(result.otherwise, {"endif"});
    }
    end_block();
    return result;
  }

  For parse_for() {
    For loop{};
    loop.target = parse_target(false);
    if (!reader_.skip_name("in")) throw reader_.unexpected("'in'");
    loop.iterable = expressions_.parse_unconditional();
    if (reader_.skip_name("if")) loop.condition = expressions_.parse();
    if (reader_.at(TokenKind::name, "recursive")) throw reader_.error("recursive loops are not supported");
    end_tag();
    ++loops_;
    parse_block(loop.body, {"else", "endfor"});
    --loops_;
    if (reader_.skip_name("else")) {
      end_tag();
      parse_block(loop.otherwise, {"endfor"});
    }
    end_block();
    return loop;
  }

  Macro parse_macro() {
    Macro macro;
    macro.name = reader_.expect_name("the name of the macro");
    reader_.expect_symbol("(");
    while (!reader_.skip_symbol(")")) {
      if (!macro.parameters.empty()) reader_.expect_symbol(",");
      std::string name = reader_.expect_name("a parameter");
      const ExpressionRef fallback = reader_.skip_symbol("=") ? expressions_.parse() : nullptr;
      macro.parameters.emplace_back(std::move(name), fallback);
    }
    end_tag();
    parse_captured(macro.body, "endmacro");
    return macro;
  }

  // A block whose text becomes a value: no loop around it can be left from inside.
  void parse_captured(Block& block, std::string_view end) {
    const int outer_loops = std::exchange(loops_, 0);
    parse_block(block, {end});
    loops_ = outer_loops;
    end_block();
  }

  Target parse_target(bool may_be_attribute) {
    Target target;
    const bool parenthesized = reader_.skip_symbol("(");
    target.names.push_back(reader_.expect_name("a variable"));
    if (may_be_attribute && !parenthesized && reader_.skip_symbol(".")) {
      target.attribute = reader_.expect_name("an attribute");
      return target;
    }
    while (reader_.skip_symbol(",")) {
      target.unpacks = true;
      if (reader_.at(TokenKind::name) && !reader_.at(TokenKind::name, "in"))
        target.names.push_back(reader_.next().text);
    }
    if (parenthesized) reader_.expect_symbol(")");
    return target;
  }

  void end_tag() { reader_.expect(TokenKind::tag_end, "'%}'"); }

  // Closes the block whose end tag parse_block() stopped at.
  void end_block() {
    reader_.next();
    end_tag();
  }

  Template result_;
  TokenReader reader_;
  ExpressionParser expressions_;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

Template parse(std::string_view source) {
  if (source.size() > kMaxSource) throw fail("the template has {} bytes, more than {}", source.size(), kMaxSource);
  const std::vector<Token> tokens = tokenize(source);
  return Parser(tokens).run();
}

}  // namespace agro::detail::jinja
