// SQL files imported as text; read by the type checker alone.
declare module "*.sql" {
  const text: string;
  export default text;
}
