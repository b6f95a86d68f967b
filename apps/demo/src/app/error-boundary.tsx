import { Component, type ComponentChildren } from 'preact';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';

/** Shows what went wrong in a station instead of an empty page. */
export class ErrorBoundary extends Component<{ children: ComponentChildren }, { error?: Error }> {
  override state: { error?: Error } = {};

  static override getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <Notice kind="bad">
        <span>This chapter could not be shown: {error.message}</span>
        <Button small onClick={() => location.reload()}>
          Reload the page
        </Button>
      </Notice>
    );
  }
}
