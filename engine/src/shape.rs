//! Shapes: number of elements along each axis, known at run time.

/// Lengths of a tensor's axes, outermost first; images are `[n, c, h, w]`. `[]` is a scalar.
///
/// ```
/// use engine::Shape;
/// let shape = Shape::from([20, 1, 128, 660]);
/// assert_eq!(shape.to_string(), "20×1×128×660");
/// assert_eq!(shape.elements(), 20 * 128 * 660);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// Returns the product of the lengths; saturates at the maximum.
    pub fn elements(&self) -> usize {
        product(&self.0)
    }

    /// Returns the shape without one axis.
    pub fn without(&self, axis: usize) -> Shape {
        let kept = self.0.iter().enumerate().filter(|(i, _)| *i != axis);
        kept.map(|(_, &length)| length).collect::<Vec<_>>().into()
    }
}

/// Returns the product of lengths; saturates at the maximum, but is 0 if any length is 0.
pub(crate) fn product(axes: &[usize]) -> usize {
    axes.iter().fold(1, |n, &axis| n.saturating_mul(axis))
}

impl std::ops::Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl From<Vec<usize>> for Shape {
    fn from(axes: Vec<usize>) -> Self {
        Shape(axes)
    }
}

impl From<&[usize]> for Shape {
    fn from(axes: &[usize]) -> Self {
        Shape(axes.to_vec())
    }
}

impl From<&Shape> for Shape {
    fn from(shape: &Shape) -> Self {
        shape.clone()
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(axes: [usize; N]) -> Self {
        Shape(axes.to_vec())
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("[]");
        }
        let axes: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&axes.join("×"))
    }
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
