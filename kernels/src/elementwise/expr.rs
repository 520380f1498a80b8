//! Expressions: what an elementwise kernel computes, as a tree that can be printed, derived and evaluated.

use crate::philox;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    /// `-x`
    Neg,
    /// `|x|`
    Abs,
    /// `e^x`
    Exp,
    /// `ln x`
    Ln,
    /// `√x`
    Sqrt,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// The error function.
    Erf,
}

/// A function of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`
    Div,
    /// The larger.
    Max,
    /// The smaller.
    Min,
    /// 1 where `a < b`, else 0.
    Less,
}

/// An expression. Build it from [`Expr::input`], [`Expr::param`], numbers, operators and the methods below.
///
/// ```
/// use kernels::elementwise::Expr;
/// let x = Expr::input(0);
/// let swish = x.clone() * x.sigmoid();
/// assert_eq!(swish.to_string(), "(x0 * sigmoid(x0))");
/// assert_eq!(swish.derivative(0).to_string(), "(sigmoid(x0) + (x0 * (sigmoid(x0) * (1 - sigmoid(x0)))))");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// The element of an input.
    Input(usize),
    /// A number fixed in the pipeline.
    Const(f32),
    /// A number from the parameter words.
    Param(usize),
    /// Uniform in [0, 1), a function of the parameter words `i..i + 4` (seed low, high, stream low, high) and the
    /// element's position.
    Random(usize),
    /// A function of one expression.
    Unary(Unary, Arc<Expr>),
    /// A function of two.
    Binary(Binary, Arc<Expr>, Arc<Expr>),
    /// `if condition is not zero { then } else { otherwise }`
    Select(Arc<Expr>, Arc<Expr>, Arc<Expr>),
}

/// What an expression reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// One more than the highest input.
    pub inputs: usize,
    /// One more than the highest parameter word.
    pub params: usize,
}

impl From<f32> for Expr {
    fn from(value: f32) -> Self {
        Expr::Const(value)
    }
}

impl Expr {
    /// The element of input `i`.
    pub fn input(i: usize) -> Self {
        Expr::Input(i)
    }

    /// Parameter word `i` as a number.
    pub fn param(i: usize) -> Self {
        Expr::Param(i)
    }

    /// Uniform in [0, 1) from parameter words `i..i + 4`.
    pub fn random(i: usize) -> Self {
        Expr::Random(i)
    }

    fn unary(self, op: Unary) -> Self {
        Expr::Unary(op, Arc::new(self))
    }

    fn binary(self, op: Binary, other: Expr) -> Self {
        // The derivative makes many products with 1, and sums with 0.
        let (zero, one) = (Expr::Const(0.0), Expr::Const(1.0));
        match (op, &self, &other) {
            (Binary::Mul, a, _) if *a == one => other,
            (Binary::Mul | Binary::Div, _, b) if *b == one => self,
            (Binary::Add, a, _) if *a == zero => other,
            (Binary::Add | Binary::Sub, _, b) if *b == zero => self,
            _ => Expr::Binary(op, Arc::new(self), Arc::new(other)),
        }
    }

    /// `|x|`
    pub fn abs(self) -> Self {
        self.unary(Unary::Abs)
    }

    /// `e^x`
    pub fn exp(self) -> Self {
        self.unary(Unary::Exp)
    }

    /// `ln x`
    pub fn ln(self) -> Self {
        self.unary(Unary::Ln)
    }

    /// `√x`
    pub fn sqrt(self) -> Self {
        self.unary(Unary::Sqrt)
    }

    /// Hyperbolic tangent.
    pub fn tanh(self) -> Self {
        self.unary(Unary::Tanh)
    }

    /// `1 / (1 + e^-x)`
    pub fn sigmoid(self) -> Self {
        self.unary(Unary::Sigmoid)
    }

    /// The error function.
    pub fn erf(self) -> Self {
        self.unary(Unary::Erf)
    }

    /// The larger of two.
    pub fn max(self, other: impl Into<Expr>) -> Self {
        self.binary(Binary::Max, other.into())
    }

    /// The smaller of two.
    pub fn min(self, other: impl Into<Expr>) -> Self {
        self.binary(Binary::Min, other.into())
    }

    /// 1 where `self < other`, else 0.
    pub fn less(self, other: impl Into<Expr>) -> Self {
        self.binary(Binary::Less, other.into())
    }

    /// `then` where `self` is not zero, else `otherwise`.
    pub fn select(self, then: impl Into<Expr>, otherwise: impl Into<Expr>) -> Self {
        let (then, otherwise) = (then.into(), otherwise.into());
        if then == otherwise {
            return then;
        }
        Expr::Select(Arc::new(self), Arc::new(then), Arc::new(otherwise))
    }

    /// `x` above zero, 0 below.
    pub fn relu(self) -> Self {
        self.clone().less(0.0).select(0.0, self)
    }

    /// `x` above zero, `slope · x` below.
    pub fn leaky_relu(self, slope: f32) -> Self {
        self.clone().less(0.0).select(self.clone() * slope, self)
    }

    /// `x` above zero, `e^x - 1` below.
    pub fn elu(self) -> Self {
        self.clone()
            .less(0.0)
            .select(self.clone().exp() - 1.0, self)
    }

    /// `x · Φ(x)` with the normal distribution's Φ, exactly (not the tanh fit).
    pub fn gelu(self) -> Self {
        self.clone() * 0.5 * ((self * std::f32::consts::FRAC_1_SQRT_2).erf() + 1.0)
    }

    /// Zero with probability `param(p)`, else scaled by `1 / (1 - p)`, as PyTorch does it; random from the words at
    /// `random`.
    pub fn dropout(self, p: usize, random: usize) -> Self {
        let keep = Expr::Const(1.0) - Expr::param(p);
        Expr::random(random)
            .less(Expr::param(p))
            .select(0.0, self / keep)
    }

    /// `outer · inner`, and nothing where the inner derivative is 0 whatever the numbers are.
    fn chained(outer: Expr, inner: Expr) -> Expr {
        match inner {
            Expr::Const(0.0) => inner,
            inner => outer * inner,
        }
    }

    /// The derivative by input `i`. Where there is none (kinks), that of the branch which the value takes.
    pub fn derivative(&self, i: usize) -> Expr {
        let one = || Expr::Const(1.0);
        match self {
            Expr::Input(j) => Expr::Const(if *j == i { 1.0 } else { 0.0 }),
            Expr::Const(_) | Expr::Param(_) | Expr::Random(_) => Expr::Const(0.0),
            Expr::Unary(op, x) => {
                let inner = x.derivative(i);
                let x = || Expr::clone(x);
                let outer = match op {
                    Unary::Neg => Expr::Const(-1.0),
                    Unary::Abs => x().less(0.0).select(-1.0, 1.0),
                    Unary::Exp => self.clone(),
                    Unary::Ln => one() / x(),
                    Unary::Sqrt => Expr::Const(0.5) / self.clone(),
                    Unary::Tanh => one() - self.clone() * self.clone(),
                    Unary::Sigmoid => self.clone() * (one() - self.clone()),
                    Unary::Erf => (-(x() * x())).exp() * std::f32::consts::FRAC_2_SQRT_PI,
                };
                Expr::chained(outer, inner)
            }
            Expr::Binary(op, a, b) => {
                let (da, db) = (a.derivative(i), b.derivative(i));
                let (a, b) = (Expr::clone(a), Expr::clone(b));
                match op {
                    Binary::Add => da + db,
                    Binary::Sub => da - db,
                    Binary::Mul => Expr::chained(b, da) + Expr::chained(a, db),
                    Binary::Div => (da - Expr::chained(self.clone(), db)) / b,
                    Binary::Max => a.less(b).select(db, da),
                    Binary::Min => b.less(a).select(db, da),
                    Binary::Less => Expr::Const(0.0),
                }
            }
            Expr::Select(condition, a, b) => {
                Expr::clone(condition).select(a.derivative(i), b.derivative(i))
            }
        }
    }

    /// What it reads.
    pub fn reach(&self) -> Reach {
        let mut reach = Reach::default();
        self.walk(&mut |node| match node {
            Expr::Input(i) => reach.inputs = reach.inputs.max(i.saturating_add(1)),
            Expr::Param(i) => reach.params = reach.params.max(i.saturating_add(1)),
            Expr::Random(i) => reach.params = reach.params.max(i.saturating_add(4)),
            _ => {}
        });
        reach
    }

    /// Operations per element.
    pub fn operations(&self) -> u64 {
        let mut count = 0;
        self.walk(&mut |node| {
            count += u64::from(!matches!(
                node,
                Expr::Input(_) | Expr::Const(_) | Expr::Param(_)
            ));
        });
        count
    }

    fn walk(&self, each: &mut impl FnMut(&Expr)) {
        each(self);
        match self {
            Expr::Unary(_, x) => x.walk(each),
            Expr::Binary(_, a, b) => {
                a.walk(each);
                b.walk(each);
            }
            Expr::Select(c, a, b) => {
                c.walk(each);
                a.walk(each);
                b.walk(each);
            }
            _ => {}
        }
    }

    /// The definition: the value at element `i` in f64.
    pub fn oracle(&self, i: usize, params: &[u32], input: &dyn Fn(usize) -> f64) -> f64 {
        let value = |e: &Expr| e.oracle(i, params, input);
        match self {
            Expr::Input(j) => input(*j),
            Expr::Const(c) => f64::from(*c),
            Expr::Param(j) => f64::from(f32::from_bits(params[*j])),
            Expr::Random(j) => f64::from(random(&params[*j..*j + 4], i)),
            Expr::Unary(op, x) => {
                let x = value(x);
                match op {
                    Unary::Neg => -x,
                    Unary::Abs => x.abs(),
                    Unary::Exp => x.exp(),
                    Unary::Ln => x.ln(),
                    Unary::Sqrt => x.sqrt(),
                    Unary::Tanh => x.tanh(),
                    Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
                    Unary::Erf => erf(x),
                }
            }
            Expr::Binary(op, a, b) => {
                let (a, b) = (value(a), value(b));
                match op {
                    Binary::Add => a + b,
                    Binary::Sub => a - b,
                    Binary::Mul => a * b,
                    Binary::Div => a / b,
                    Binary::Max => {
                        if a < b {
                            b
                        } else {
                            a
                        }
                    }
                    Binary::Min => {
                        if b < a {
                            b
                        } else {
                            a
                        }
                    }
                    Binary::Less => f64::from(u8::from(a < b)),
                }
            }
            Expr::Select(c, a, b) => {
                if value(c) != 0.0 {
                    value(a)
                } else {
                    value(b)
                }
            }
        }
    }
}

/// The error function by its Taylor series; beyond 6 it is 1 to the last place.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 || x.is_nan() {
        return if x.is_nan() { x } else { x.signum() };
    }
    // e^(-x²) · Σ 2^n x^(2n+1) / (2n+1)!!: every term has the same sign, so nothing cancels.
    let (mut term, mut sum, mut n) = (x, x, 1.0);
    while term.abs() > 1e-18 * sum.abs() {
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
        n += 1.0;
    }
    sum * (-x * x).exp() * std::f64::consts::FRAC_2_SQRT_PI
}

/// Seed and stream of the words seed low, high, stream low, high.
pub(super) fn streams(words: &[u32]) -> (u64, u64) {
    let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    (join(words[0], words[1]), join(words[2], words[3]))
}

/// The random number of element `i` under these words.
fn random(words: &[u32], i: usize) -> f32 {
    let (seed, stream) = streams(words);
    philox::unit(philox::word(seed, stream, i as u32))
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:ident) => {
        impl<T: Into<Expr>> $trait<T> for Expr {
            type Output = Expr;
            fn $method(self, other: T) -> Expr {
                self.binary(Binary::$op, other.into())
            }
        }
    };
}
operator!(Add, add, Add);
operator!(Sub, sub, Sub);
operator!(Mul, mul, Mul);
operator!(Div, div, Div);

impl Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        self.unary(Unary::Neg)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Input(i) => write!(f, "x{i}"),
            Expr::Const(c) => write!(f, "{c}"),
            Expr::Param(i) => write!(f, "p{i}"),
            Expr::Random(i) => write!(f, "random{i}"),
            Expr::Unary(op, x) => write!(f, "{}({x})", format!("{op:?}").to_lowercase()),
            Expr::Binary(op, a, b) => match op {
                Binary::Add => write!(f, "({a} + {b})"),
                Binary::Sub => write!(f, "({a} - {b})"),
                Binary::Mul => write!(f, "({a} * {b})"),
                Binary::Div => write!(f, "({a} / {b})"),
                Binary::Less => write!(f, "({a} < {b})"),
                Binary::Max => write!(f, "max({a}, {b})"),
                Binary::Min => write!(f, "min({a}, {b})"),
            },
            Expr::Select(c, a, b) => write!(f, "select({c}, {a}, {b})"),
        }
    }
}
